"""What was typed into a form, told for reading: each field that was filled in, with its value as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.kernel.words import code_words
from web.console.command.form import FormField, Tree, show_fields
from web.console.command.meeting import PREVIEW

if TYPE_CHECKING:
    from domain.kernel.message import Command
    from web.language import Language


def list_answers(command: type[Command], tree: Tree, language: Language) -> list[tuple[FormField, list[str]]]:
    """Each field that was filled in, with its value as lines of text."""
    parts = [one for one in show_fields(command, tree, (), {}) if one.place != PREVIEW]
    return [(one, lines) for one in parts if (lines := list(_list_lines(one, language)))]


def _list_lines(one: FormField, language: Language) -> list[str]:
    """What was typed into a field, for reading."""
    match one.widget:
        case "documents":
            return [document["name"] for document in one.value]
        case "document":
            return [one.value["name"]] if one.value else []
        case "table":
            lines = []
            for row in one.rows:
                cells = [text for cell in row for text in _list_lines(cell, language)]
                if cells:
                    lines.append("　".join(cells))
            return lines
        case "group":
            return [
                f"{language.say(inner.zh, inner.en)} {text}"
                for inner in one.fields
                for text in _list_lines(inner, language)
            ]
        case "choice":
            known = next((choice for choice in one.choices if choice.value == one.value), None)
            return (
                [language.say(known.zh or known.value, known.en or known.value)]
                if known
                else ([one.value] if one.value else [])
            )
        case "text" if one.place[-1] in ("[key]", "gate") and (words := code_words(one.value)) is not None:
            return [language.say(*words)]
        case "json" if one.place == ("scheme",):
            return []  # a city's whole rules: compared on the page before, and named in what is to be recorded
        case "yes_no":
            return [language.say("是", "yes") if one.value == "yes" else language.say("否", "no")] if one.value else []
        case _:
            return str(one.value).split("\n") if one.value else []
