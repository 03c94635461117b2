"""PDF, for the file: the same paper set by typst in the fonts of this machine, complete to the last character."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import typst

from papers.fonts import LACKING, find_typefaces

if TYPE_CHECKING:
    from papers.paper import Paper

MEDIA_TYPE: Final = "application/pdf"


def write_pdf(paper: Paper) -> bytes:
    """The paper as a PDF; the same paper is the same bytes on a machine with the same fonts. Raises FontsMissing."""
    typefaces = find_typefaces(paper.script)
    data = json.dumps(paper.model_dump(mode="json"), ensure_ascii=False)
    say = paper.script.write
    words = {
        name: say(word)
        for name, word in {
            "seal": "（蓋章）",
            "sign": "法定代表人（授權代表）簽字：",
            "annex": "附件：",
            "copies": "抄送：",
            "printed": "印發",
        }.items()
    }
    lacking = typefaces.list_missing(data + "".join(words.values()))
    notice = ""
    if lacking:
        points = "、".join(f"U+{ord(character):04X}" for character in lacking)
        notice = say(f"{LACKING}代表本機字體所缺的字：{points}")
    text = data.translate({ord(character): LACKING for character in lacking})
    settings: dict[str, Any] = {
        "body": typefaces.body,
        "heading": typefaces.heading,
        "lacking": notice,
        "words": words,
    }
    content = typst.compile(
        files("papers").joinpath("paper.typ").read_bytes(),
        format="pdf",
        sys_inputs={"paper": text, "fonts": json.dumps(settings, ensure_ascii=False)},
    )
    assert isinstance(content, bytes)  # noqa: S101 - one document, and no file named
    return content
