"""A form made from a model: what was typed, as a tree of texts; the fields that show it; and what is wrong beside each.

The tree is what ``domain.kernel.input`` reads in its typed notation. It is sent back whole whatever the answer is, so
that nobody types a thing twice. A document is kept when it comes, and goes on by its digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from starlette.datastructures import UploadFile

from domain.kernel.explanation import InputFault, show
from domain.kernel.failure import Failure
from domain.kernel.field_shape import FieldChoice, FieldShape, Kind, Shape, field_shapes
from domain.kernel.input import parse_amount
from domain.kernel.words import NAMED
from domain.project.contract import digest_account

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from pydantic import BaseModel
    from starlette.datastructures import FormData

    from domain.kernel.explanation import Place

Branch: TypeAlias = Any
"""What stands under one name of a tree: a text, a list, rows, or another tree. Its shape says which of them."""
Tree = dict[str, Branch]
"""What was typed, by field. What was left blank is not in it."""

Choices = Mapping[str, Sequence[tuple[str, str]]]
"""By the name of a field, the values that it may be chosen from, and what each is called."""

PREFIX: Final = "p"
"""How the names of a command's own fields begin."""
MOST_ROWS: Final = 300
ACCOUNT: Final = "account"
"""The field that takes the digest of a bank account: its parts are typed, and only the digest goes on."""
BLANK_ROWS: Final = 2
"""Rows that stand empty under what was typed."""
DOUBLED: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""What a name ends with in the tree that stands in the table already."""
_LONG: Final = frozenset(
    {
        *("reason", "finding", "comment", "problem", "note", "ground", "statement"),
        *("advice", "purpose", "cured", "where", "contact"),
    }
)
"""Fields in which people write sentences."""
_SCALARS: Final = frozenset(
    {Kind.TEXT, Kind.MONEY, Kind.INTEGER, Kind.DECIMAL, Kind.YES_NO, Kind.DATE, Kind.INSTANT, Kind.CHOICE}
)


@dataclass(frozen=True)
class FormField:
    """One field as a page shows it."""

    widget: str
    name: str
    place: Place
    zh: str
    en: str
    hint: tuple[str, str] | None = None
    required: bool = False
    value: Branch = ""
    choices: tuple[FieldChoice, ...] = ()
    faults: tuple[InputFault, ...] = ()
    columns: tuple[FormField, ...] = ()
    """Of a table, its columns."""
    rows: tuple[tuple[FormField, ...], ...] = ()
    fields: tuple[FormField, ...] = ()
    """Of a group, what is in it."""
    known: str = ""
    """The id of the list that it may be chosen from."""
    terms: str = ""
    """The words of the city that it is said in, where it takes several."""
    fen: int | None = None
    """Of money that can be read."""
    most: int | None = None
    """Of points, how many there are at most."""
    total: str = ""
    """Of a table whose points add up, their sum so far."""

    @property
    def id(self) -> str:
        """By which a fault leads to it."""
        return self.name.replace(".", "-")

    @property
    def tells(self) -> str:
        """What can be told of it while it is typed into (``live_check.py``); empty for nothing."""
        if self.widget == "integer" and str(self.place[-1]).endswith("_wd"):
            return "days"
        return self.widget if self.widget in ("money", "date") else ""


def choose_widget(shape: Shape, name: str = "", *, inside: bool = False) -> str:
    """How a value of that shape is asked for; ``inside`` a table there is room for one line."""
    match shape.kind:
        case Kind.TEXT if name == ACCOUNT and not inside:
            return "account"
        case Kind.TEXT if name in _LONG and not inside:
            return "area"
        case Kind.DOCUMENT:
            return "document"
        case Kind.LIST if shape.item is not None and not inside:
            return _choose_list(shape.item)
        case Kind.MAPPING if shape.item is not None and not inside and _is_flat(shape.item):
            return "table"
        case Kind.GROUP if shape.model is not None:
            if list(field_shapes(shape.model)) == ["name", "version"]:
                return "text"
            return "group" if _is_flat(shape) and not inside else "json"
        case Kind.ANY:
            return "json"
        case _:
            return "text" if shape.kind in (Kind.LIST, Kind.MAPPING) else shape.kind.value


def _choose_list(item: Shape) -> str:
    if item.kind is Kind.DOCUMENT:
        return "documents"
    if item.kind in _SCALARS:
        return "lines"
    return "table" if _is_flat(item) else "json"


def _is_flat(shape: Shape) -> bool:
    """Whether each of its fields can stand in one cell."""
    if shape.kind is not Kind.GROUP or shape.model is None:
        return shape.kind in _SCALARS or shape.kind is Kind.DOCUMENT
    inner = (one.shape for one in field_shapes(shape.model).values())
    return all(_is_scalar(one) or (one.item is not None and _is_scalar(one.item)) for one in inner)


def _is_scalar(shape: Shape) -> bool:
    return shape.kind in _SCALARS


# ------------------------------------------------------------------------------------------ from what was sent


async def read_tree(
    model: type[BaseModel], form: FormData, keep: Callable[[UploadFile], Awaitable[Tree]]
) -> tuple[Tree, list[InputFault]]:
    """What was typed into the form of that model, and what was wrong with the documents that came with it.

    ``keep`` keeps a document and says its digest, type and name; it raises Failure for one that is not filed.
    """
    documents: dict[str, list[Tree]] = {}
    faults = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile) and value.filename and name.startswith(f"{PREFIX}."):
            try:
                documents.setdefault(name, []).append(await keep(value))
            except Failure as refused:
                faults.append(InputFault((name.split(".")[1],), refused.zh, refused.en))
    return _FormReader(form, documents).group(model, PREFIX), faults


@dataclass(frozen=True)
class _FormReader:
    form: FormData
    documents: dict[str, list[Tree]]
    indexes: dict[str, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find the rows of each table by the numbers in the names of its fields."""
        for name in self.form:
            steps = name.split(".")
            for at, step in enumerate(steps):
                if step.isascii() and step.isdigit() and len(step) <= len(str(MOST_ROWS)):
                    self.indexes.setdefault(".".join(steps[:at]), set()).add(int(step))

    def group(self, model: type[BaseModel], prefix: str, *, inside: bool = False) -> Tree:
        tree: Tree = {}
        for shape in field_shapes(model).values():
            value = self.value(shape.shape, f"{prefix}.{shape.name}", shape.name, inside=inside)
            if value not in (None, "", [], {}):
                tree[shape.name] = value
        return tree

    def value(self, shape: Shape, name: str, field_name: str, *, inside: bool = False) -> Branch:
        match choose_widget(shape, field_name, inside=inside):
            case "lines":
                return [line.strip() for line in self.text(name).split("\n") if line.strip()]
            case "documents":
                kept = [self._kept(f"{name}.{row}") for row in self.rows(name)]
                return [one for one in kept if one] + self.documents.get(f"{name}.file", [])
            case "document":
                sent = self.documents.get(f"{name}.file")
                return sent[0] if sent else self._kept(name)
            case "table" if shape.kind is Kind.MAPPING and shape.item is not None:
                return self._mapping(shape.item, name)
            case "table" if shape.item is not None and shape.item.model is not None:
                rows = (self.group(shape.item.model, f"{name}.{row}", inside=True) for row in self.rows(name))
                return [row for row in rows if row]
            case "group" if shape.model is not None:
                return self.group(shape.model, name, inside=True)
            case "account":
                return self._digest(name)
            case _:
                return self.text(name).strip()

    def _digest(self, name: str) -> str | Tree:
        """Of the account whose parts were typed, else the digest that was sent.

        Of parts that make no account, bank and holder as they were typed: the number is never sent back, nor kept.
        """
        bank, holder, number = (self.text(f"{name}.{part}").strip() for part in ("bank", "holder", "number"))
        if not (bank or holder or number):
            return self.text(name).strip()
        try:
            return digest_account(bank, holder, number)
        except ValueError:
            return {"bank": bank, "holder": holder}

    def _mapping(self, item: Shape, name: str) -> Tree:
        pairs: Tree = {}
        for row in self.rows(name):
            key = self.text(f"{name}.{row}.key").strip()
            if item.kind is Kind.GROUP and item.model is not None:
                value: Branch = self.group(item.model, f"{name}.{row}.value", inside=True)
            else:
                value = self.value(item, f"{name}.{row}.value", "", inside=True)
            if key or value:
                while key in pairs:  # said of both rows; a mapping would keep the last and say nothing
                    key += DOUBLED
                pairs[key] = value
        return pairs

    def _kept(self, name: str) -> Tree | None:
        """A document that came with an earlier step, unless it was taken out."""
        parts = {part: self.text(f"{name}.{part}") for part in ("sha256", "media_type", "name")}
        return parts if parts["sha256"] and not self.text(f"{name}.drop") else None

    def rows(self, name: str) -> list[int]:
        return sorted(self.indexes.get(name, ()))[:MOST_ROWS]

    def text(self, name: str) -> str:
        value = self.form.get(name, "")
        return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def find_doubled(tree: Tree) -> list[InputFault]:
    """A fault for each name that stands twice in a table."""
    return [
        InputFault(
            (name, key, "[key]"), f"{show(key.rstrip(DOUBLED))} 重複", f"{show(key.rstrip(DOUBLED))} stands twice"
        )
        for name, rows in tree.items()
        if isinstance(rows, dict)
        for key in rows
        if key.endswith(DOUBLED)
    ]


# ------------------------------------------------------------------------------------------ to be sent again


def list_hidden(model: type[BaseModel], tree: Tree) -> list[tuple[str, str]]:
    """Names and values that send the same tree again."""
    return list(_hidden_group(model, tree, PREFIX, inside=False))


def _hidden_group(model: type[BaseModel], tree: Tree, prefix: str, *, inside: bool) -> Iterator[tuple[str, str]]:
    for shape in field_shapes(model).values():
        if shape.name in tree:
            yield from _hidden(shape.shape, tree[shape.name], f"{prefix}.{shape.name}", shape.name, inside=inside)


def _hidden(shape: Shape, value: Branch, name: str, field_name: str, *, inside: bool) -> Iterator[tuple[str, str]]:
    match choose_widget(shape, field_name, inside=inside):
        case "lines":
            yield name, "\n".join(value)
        case "documents":
            for row, one in enumerate(value):
                yield from ((f"{name}.{row}.{part}", text) for part, text in one.items())
        case "document":
            yield from ((f"{name}.{part}", text) for part, text in value.items())
        case "table" if shape.kind is Kind.MAPPING and shape.item is not None:
            for row, (key, one) in enumerate(value.items()):
                yield f"{name}.{row}.key", key
                if shape.item.kind is Kind.GROUP and shape.item.model is not None:
                    yield from _hidden_group(shape.item.model, one, f"{name}.{row}.value", inside=True)
                elif one:
                    yield from _hidden(shape.item, one, f"{name}.{row}.value", "", inside=True)
        case "table" if shape.item is not None and shape.item.model is not None:
            for row, one in enumerate(value):
                yield from _hidden_group(shape.item.model, one, f"{name}.{row}", inside=True)
        case "group" if shape.model is not None:
            yield from _hidden_group(shape.model, value, name, inside=True)
        case _:
            yield name, str(value)


# ------------------------------------------------------------------------------------------ to be shown


def show_fields(
    model: type[BaseModel], tree: Tree, faults: Sequence[InputFault], more: Mapping[str, int] | None = None
) -> list[FormField]:
    """The fields of that model with what was typed into them; ``more`` says how many blank rows a table has."""
    return _Builder(tuple(faults), more or {}).group(model, tree, PREFIX, ())


@dataclass(frozen=True)
class _Builder:
    faults: tuple[InputFault, ...]
    more: Mapping[str, int]

    def group(
        self, model: type[BaseModel], tree: Tree, prefix: str, place: Place, *, inside: bool = False
    ) -> list[FormField]:
        return [
            self.field(one, tree.get(one.name), f"{prefix}.{one.name}", (*place, one.name), inside=inside)
            for one in field_shapes(model).values()
        ]

    def field(self, of: FieldShape, value: Branch, name: str, place: Place, *, inside: bool) -> FormField:
        part = self.shape(of.shape, value, name, place, of.name, inside=inside)
        if value is None and part.widget == "yes_no":
            part = replace(part, value=_default(of))
        return replace(part, zh=of.zh, en=of.en, required=of.required, hint=_hint(of, part.widget))

    def shape(
        self,
        shape: Shape,
        value: Branch,
        name: str,
        place: Place,
        field_name: str = "",
        *,
        inside: bool = False,
    ) -> FormField:
        widget = choose_widget(shape, field_name, inside=inside)
        part = FormField(widget, name, place, "", "", value=value or "", faults=self._faults(place))
        match widget:
            case "lines":
                return replace(part, value="\n".join(value or ()))
            case "documents":
                return replace(part, value=value or [])
            case "table" if shape.item is not None:
                columns, rows = self._table(shape, value, name, place)
                return _keep_own(replace(part, columns=columns, rows=rows))
            case "group" if shape.model is not None:
                fields = tuple(self.group(shape.model, value or {}, name, place, inside=True))
                return _keep_own(replace(part, fields=fields))
            case "choice":
                return replace(part, choices=shape.choices)
            case "money":
                return replace(part, fen=_read_fen(value))
            case _:
                return part

    def _table(
        self,
        shape: Shape,
        value: Branch,
        name: str,
        place: Place,
    ) -> tuple[tuple[FormField, ...], tuple[tuple[FormField, ...], ...]]:
        item = shape.item
        assert item is not None  # noqa: S101 - a table has rows
        blank = self.more.get(name, BLANK_ROWS if not value else 1)
        if shape.kind is Kind.MAPPING:
            pairs = [*(value or {}).items(), *(("", None) for _ in range(blank))]
            rows = tuple(self._pair(shape, key, one, f"{name}.{row}", place) for row, (key, one) in enumerate(pairs))
            return self._pair(shape, "", None, name, place), rows
        assert item.model is not None  # noqa: S101 - scalars stand in lines
        model = item.model
        listed = [*(value or ()), *({} for _ in range(blank))]
        rows = tuple(
            tuple(self.group(model, one, f"{name}.{row}", (*place, row), inside=True)) for row, one in enumerate(listed)
        )
        return tuple(self.group(model, {}, name, ("",), inside=True)), rows

    def _pair(self, shape: Shape, key: str, value: Branch, name: str, place: Place) -> tuple[FormField, ...]:
        item, where = shape.item, (*place, key)
        assert item is not None  # noqa: S101 - a mapping has values
        key_faults = tuple(f for f in self.faults if key and f.place == (*where, "[key]"))
        zh, en = _KEY_WORDS.get(str(place[-1]), ("名稱", "name"))
        first = FormField(
            "text", f"{name}.key", (*where, "[key]"), zh, en, value=key.rstrip(DOUBLED), faults=key_faults
        )
        if shape.key is not None and shape.key.kind is Kind.CHOICE:
            first = replace(first, widget="choice", choices=shape.key.choices)
        if item.kind is Kind.GROUP and item.model is not None:
            return first, *self.group(item.model, value or {}, f"{name}.value", where, inside=True)
        cell = self.shape(item, value, f"{name}.value", where, inside=True)
        zh, en = _VALUE_WORDS.get(cell.widget, ("內容", "value"))
        return first, replace(cell, zh=zh, en=en, faults=tuple(f for f in cell.faults if f not in key_faults))

    def _faults(self, place: Place) -> tuple[InputFault, ...]:
        return tuple(fault for fault in self.faults if fault.place[: len(place)] == place)


def _keep_own(of: FormField) -> FormField:
    """The same with only those faults that none of its cells or fields has."""
    inner = [fault for one in (*of.fields, *(cell for row in of.rows for cell in row)) for fault in one.faults]
    return replace(of, faults=tuple(fault for fault in of.faults if fault not in inner))


_KEY_WORDS: Final = {
    "tranches": ("期次", "tranche"),
    "budget": ("支出科目", "budget line"),
    "move": ("支出科目", "budget line"),
    "funds": ("資金來源編號", "fund"),
    "criteria": ("評分項", "criterion"),
    "results": ("申報編號", "application"),
    "milestones": ("里程碑代號", "milestone"),
    "indicators": ("指標代號", "indicator"),
    "sites": ("點位代號", "site"),
    "signatures": ("簽署方", "signatory"),
}
"""What the first column of such a table is called."""
_VALUE_WORDS: Final = {
    "money": ("金額（元）", "amount (yuan)"),
    "date": ("日期", "date"),
    "document": ("文件", "document"),
    "decimal": ("分數", "points"),
}


def _default(of: FieldShape) -> str:
    if isinstance(of.default, bool):
        return "yes" if of.default else "no"
    return ""


def _hint(of: FieldShape, widget: str) -> tuple[str, str] | None:
    """What helps to fill it in: what it takes, and what holds if it is left out."""
    zh, en = _HINTS.get(widget, ("", ""))
    if of.name in _EXAMPLES and widget in ("text", "lines"):
        example = _EXAMPLES[of.name]
        zh, en = f"{zh}{'，' if zh else ''}如 {example}", f"{en}{', ' if en else ''}such as {example}"
    if of.shape.kind is Kind.LIST and widget == "text":
        zh, en = "以逗號分隔", "separated by commas"
    elif of.shape.kind is Kind.MAPPING and widget == "text":
        zh, en = "寫作 名稱:數額，以逗號分隔，如 FS-1:50000", "written name:amount, separated by commas, as FS-1:50000"
    elif widget == "lines" and of.shape.item is not None and of.shape.item.kind is Kind.DATE:
        zh, en = "每行一個日期，如 2026-10-01", "one date a line, such as 2026-10-01"
    elif of.shape.kind is Kind.GROUP and widget == "text":
        zh, en = "寫作 名稱@版本，如 fuzhou@1", "written name@version, as fuzhou@1"
    elif of.shape.kind is Kind.INTEGER and of.shape.least is not None and of.shape.most is not None:
        zh, en = of.shape.texts()
    elif of.shape.named:
        zh = f"如{'、'.join(NAMED[name][0] for name in ('personnel', 'activity', 'materials'))}"
        en = "such as personnel, activity, materials"
    if of.otherwise is not None:
        zh = f"{zh}{'；' if zh else ''}不填則為{of.otherwise.zh}"
        en = f"{en}{'; ' if en else ''}if left out: {of.otherwise.en}"
    elif of.default not in (None, "", ()) and not isinstance(of.default, bool):
        otherwise = next(((one.zh, one.en) for one in of.shape.choices if one.value == of.default), ("", ""))
        zh = f"{zh}{'；' if zh else ''}不填則為{otherwise[0] or f' {of.default}'}"
        en = f"{en}{'; ' if en else ''}if left out: {otherwise[1] or of.default}"
    return (zh, en) if zh or en else None


_EXAMPLES: Final = {
    "solicitor": "CAB-REG",
    "host": "HOST-1",
    "supervisor": "SUPV-1",
    "evaluator": "EVAL-1",
    "auditor": "AUDIT-1",
    "community": "COMM-1",
    "district": "DISTRICT-1",
    "representatives": "SO-LEGAL#1",
    "witness": "DISC#1",
    "seats": "E1",
}
"""By the name of a field, a number as it takes one: of a seat, or of whom seats act for."""
_HINTS: Final = {
    "money": ("以元為單位，如 50,000 或 5萬", "in yuan, such as 50,000"),
    "date": ("如 2026-12-09", "such as 2026-12-09"),
    "instant": ("如 2026-12-09 17:00，北京時間", "such as 2026-12-09 17:00, Beijing time"),
    "lines": ("每行一項", "one per line"),
    "account": (
        "三項一併填寫，賬號只含數字；只保存由此算出的校驗值，不保存賬號",
        "fill in all three, the number in digits; only the digest made of them is kept, never the number",
    ),
    "json": ("JSON", "JSON"),
}


def _read_fen(value: object) -> int | None:
    """The amount as it will be understood; None if it cannot be."""
    try:
        return parse_amount(value) if isinstance(value, str) and value.strip() else None
    except ValueError:
        return None
