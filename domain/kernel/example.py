"""What somebody might type into a field: an example that can be read as it stands, whole groups and lists included."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from domain.kernel.field_shape import Kind, field_shapes

if TYPE_CHECKING:
    from domain.kernel.field_shape import FieldShape, Shape

_BY_NAME = {
    "account": "a" * 64,
    "adjustment": "1",
    "administrators[]": "P-1,P-2",
    "application": "AP-5",
    "applications": "AP-5",
    "asset": "A-1",
    "base": "BASE-1",
    "bound": "a" * 64,
    "budget": "personnel:20,000.00,activity:30,000.00",
    "case": "JA-1",
    "challenge": "1",
    "city": "撫州",
    "clarification": "1",
    "client": "C-1",
    "commitment": "0" * 64,
    "community": "COMM-1",
    "contact": "市民政局社會組織處",
    "content_sha256": "0" * 64,
    "continues": "DG-1",
    "correction": "C1",
    "credit_code": "91350100M000100Y43",
    "custodians": "CAB-REG#1,CAB-FIN#1,FISCAL#1",
    "deliberation": "DL-1",
    "digest": "0" * 64,
    "district": "D-1",
    "door": "console",
    "escalate_to": "CAB-DEC#1",
    "escalate_to[]": "CAB-DEC#1",
    "evaluator": "ORG-3",
    "expert": "E1",
    "experts[]": "E1,E2",
    "funds": "FS-1:50,000.00",
    "gate": "ContractSigned",
    "guests": "ORG-2",
    "guests[]": "ORG-2",
    "holders": "ORG-1",
    "holders[]": "ORG-1",
    "host": "ORG-2",
    "implementer": "ORG-1",
    "in": "E6",
    "into": "ND-2",
    "into[]": "ND-2,ND-3",
    "line": "activity",
    "login": "0" * 64,
    "method": "M-1",
    "milestone": "MS-1",
    "milestones": "MS-1:2024-06-30",
    "milestones.key": "MS-1",
    "move": "activity:5,000.00,personnel:-5,000.00",
    "need": "ND-1",
    "needs": "ND-1",
    "nonce": "0" * 64,
    "objection": "1",
    "operator": "ORG-2",
    "organisation": "ORG-1",
    "other": "ND-2",
    "out": "E2",
    "panel": "RP-1",
    "panels": "RP-1",
    "parent": "BASE-2",
    "partners": "ORG-2",
    "payee": "ORG-1",
    "person": "P-1",
    "preview": "0" * 64,
    "programme": "fz",
    "project": "PJ-3",
    "public": "0" * 64,
    "public_value": "03 07 12 18 26 31",
    "representatives": "SO-LEGAL#1",
    "results": "AP-5:88.5",
    "roster": "ER-1",
    "round": "R-FZ-2027",
    "scheme.name": "fuzhou",
    "sealed": "0" * 64,
    "seat": "CAB-REG#1",
    "seats": "E1,E2,E3",
    "second": "CAB-DEC#1",
    "seed": "a" * 64,
    "sha256": "0" * 64,
    "site": "S-1",
    "speaks_for[]": "CAB-REG#1",
    "split_from": "ND-2",
    "successor": "1" * 64,
    "team": "銀齡隊",
    "tranche": "T1",
    "tranches.key": "T1",
    "variation": "1",
    "voucher": "FP-2024-0802",
    "witness": "DISC#1",
    "year": "2027",
}
"""Names, numbers and keys as the field has them, by the name of the field; everything else follows from its shape."""
_PLAIN: dict[Kind, str] = {
    Kind.MONEY: "50,000.00",
    Kind.DECIMAL: "88.5",
    Kind.YES_NO: "是",
    Kind.DATE: "2024-03-04",
    Kind.INSTANT: "2024-04-24T17:00",
    Kind.DOCUMENT: "@minutes.pdf",
}


def write_example(field: FieldShape) -> str:
    """A value of that field as it is typed behind ``name=``."""
    value = _example(field.name, field.zh, field.shape)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _example(name: str, zh: str, shape: Shape) -> Any:  # noqa: ANN401 - a text, or what becomes JSON
    """A text; a mapping or list of them where they cannot be typed without JSON."""
    is_group = shape.item is not None and shape.item.kind in (Kind.GROUP, Kind.ANY) and shape.item.model is not None
    if shape.kind is Kind.LIST and f"{name}[]" in _BY_NAME:
        return _BY_NAME[f"{name}[]"]
    if name in _BY_NAME and not is_group:
        return _BY_NAME[name]
    match shape.kind:
        case Kind.CHOICE:
            return shape.choices[0].zh or shape.choices[0].value
        case Kind.INTEGER:
            return str(shape.least or 1)
        case Kind.LIST if shape.item is not None:
            item = _example(name, zh, shape.item)
            return [item] if is_group else item
        case Kind.MAPPING if shape.item is not None:
            key = _BY_NAME.get(f"{name}.key") or (_example("", "", shape.key) if shape.key else zh)
            item = _example("", zh, shape.item)
            return {key: item} if is_group else f"{key}:{item}"
        case Kind.GROUP | Kind.ANY if shape.model is not None:
            needed = (one for one in field_shapes(shape.model).values() if one.required)
            return {
                one.name: _BY_NAME.get(f"{name}.{one.name}") or _example(one.name, one.zh, one.shape) for one in needed
            }
        case kind:
            return _PLAIN.get(kind) or zh or name or "1"
