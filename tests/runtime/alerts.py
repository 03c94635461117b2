"""Prometheus' own judgement of our alerts: figures as they were scraped, before and while something is wrong."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RULES = Path(__file__).parents[2] / "deploy" / "prometheus-rules.yaml"
ALERTS: Mapping[str, dict[str, Any]] = {
    rule["alert"]: rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]
}
PROMTOOL = shutil.which("promtool") or ""
WELL_MIN, WRONG_MIN = 20, 40
"""So many minutes all is well, then so many something is wrong: longer than any alert waits."""

Series = dict[str, float]
"""What one process gave at one scrape: a series by its name and labels, and its value."""


def read_series(text: str, instance: str = "worker-1") -> dict[str, float]:
    """The scrape as Prometheus keeps it, with the instance that it came from; instants as seconds from now."""
    series, now = Series(), time.time()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = {**sample.labels, "instance": instance}
            marks = ",".join(f'{name}="{value}"' for name, value in labels.items())
            is_instant = sample.name.endswith("_timestamp_seconds") and sample.value > 0
            name = sample.name if f"\n{sample.name}" in text else sample.name.removesuffix("_total")  # the parser's own
            series[f"{name}{{{marks}}}"] = sample.value - now if is_instant else sample.value
    return series


def judge(alert: str, well: Sequence[Series], wrong: Sequence[Series], tmp: Path) -> tuple[bool, bool]:
    """Whether that alert is silent while all is well, and fires while something is wrong.

    Each scrape is one process'. What has grown between the two goes on to grow by as much a minute: the fault lasts.
    """
    before, after = _merge(well), _merge(wrong)
    series = [{"series": name, "values": _values(name, before, after)} for name in sorted({*before, *after})]
    return tuple(  # type: ignore[return-value] # of two
        _is_as_told(alert, series, minute, fires=fires, tmp=tmp)
        for minute, fires in ((WELL_MIN - 1, False), (WELL_MIN + WRONG_MIN - 1, True))
    )


def _merge(scrapes: Sequence[Series]) -> dict[str, float]:
    return {name: value for scrape in scrapes for name, value in scrape.items()}


def _values(name: str, before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """In promtool's notation: start, step and count; ``_`` where nobody gives it."""
    first, last, figure = before.get(name), after.get(name), name.partition("{")[0]
    grows = figure.endswith(("_total", "_bucket", "_count", "_sum", "_failed", "_failure"))
    pace = 60 if figure == "venture_follower_round_timestamp_seconds" else 0  # a follower that follows keeps up
    beginning = f"_x{WELL_MIN}" if first is None else f"{first:.6f}+{pace}x{WELL_MIN - 1}"
    if last is not None and figure.endswith("_timestamp_seconds"):
        last += WELL_MIN * 60
    if last is None:
        return f"{beginning} stale _x{WRONG_MIN - 1}"
    step = max(last - (first or 0), 0) if grows else 0
    return f"{beginning} {last:.6f}+{step:.6f}x{WRONG_MIN - 1}"


def _is_as_told(alert: str, series: Sequence[Mapping[str, str]], minute: int, *, fires: bool, tmp: Path) -> bool:
    """Whether promtool finds the alert firing in that minute, or not firing."""
    file = tmp / f"{alert}-{minute}.yaml"
    firing = f'sgn(count(ALERTS{{alertname="{alert}", alertstate="firing"}})) or vector(0)'
    expected = {"expr": firing, "eval_time": f"{minute}m", "exp_samples": [{"labels": "{}", "value": int(fires)}]}
    test = {"interval": "1m", "input_series": list(series), "promql_expr_test": [expected]}
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [test]}, allow_unicode=True), "utf-8")
    judged = subprocess.run([PROMTOOL, "test", "rules", file], capture_output=True, text=True, check=False)  # noqa: S603 - our own file
    if judged.returncode and "FAILED" not in judged.stdout + judged.stderr:
        raise AssertionError(judged.stdout + judged.stderr)
    return judged.returncode == 0
