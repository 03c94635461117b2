"""Draw a panel again from what was published of it: standard library only, nothing of this product (docs/draw.md).

Reads one JSON object: "committed" and "opened", the particulars of the events DrawCommitted and PanelDrawn.
"""

import json
import sys
from hashlib import sha256

evidence = json.load(sys.stdin)
committed, opening = evidence["committed"], evidence["opened"]["opening"]


def digest(text: str) -> str:
    """SHA-256 in hex."""
    return sha256(text.encode()).hexdigest()


pool = sorted(committed["pool"], key=lambda place: int(place[1:]))
everybody = digest("\n".join(pool))
key = f"{opening['seed']}\n{opening['public_value']}\n{everybody}\n"
ranking = sorted(pool, key=lambda place: digest(key + place))
passed_over = opening.get("passed_over", {})
seats = [place for place in ranking if place not in passed_over][: committed["places"]]

faults = []
faults += ["名冊已改 the roster is another"] if everybody != committed["pool_digest"] else []
faults += ["種子不符 the seed is another"] if digest(opening["seed"]) != committed["commitment"] else []
faults += ["次序不符 the order is another"] if ranking != opening["ranking"] else []
faults += ["席位不符 the panel is another"] if seats != evidence["opened"]["seats"] else []
sys.stdout.write("\n".join(faults or [" ".join(seats)]) + "\n")
sys.exit(bool(faults))
