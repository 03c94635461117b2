"""Which documents are filed: of known kinds, as declared, and harmless to whoever opens them."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from application.document_content import (
    DOCX,
    MOST_BYTES,
    ODT,
    PDF,
    SIGNATURE,
    XLSX,
    ZIP,
    DocumentRefused,
    check_content,
)
from tests.tables import every_row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PDF_BYTES = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
WORD = b'<Override ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>'
SHEET = b'<Types><Override ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/></Types>'


def packed(members: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(buffer := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def encrypted(content: bytes) -> bytes:
    """The same archive, its members marked as encrypted."""
    data = bytearray(content)
    for magic, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.index(magic) + at] |= 0x1
    return bytes(data)


def altered(content: bytes) -> bytes:
    """The same archive, a byte of its first member another."""
    data = bytearray(content)
    data[data.index(b"PK\x01\x02") - 3] ^= 0x55
    return bytes(data)


def _filed() -> Iterator[tuple[str, bytes]]:
    yield PDF, PDF_BYTES
    yield "Application/PDF; name=x", PDF_BYTES
    yield "image/png", b"\x89PNG\r\n\x1a\n" + bytes(20)
    yield "image/jpeg", b"\xff\xd8\xff\xe0" + bytes(20)
    yield DOCX, packed({"[Content_Types].xml": WORD, "word/document.xml": b"<w/>" * 50})
    yield ODT, packed({"mimetype": ODT.encode(), "content.xml": b"<o/>"})
    yield ZIP, packed({"照片/一.jpg": b"\xff\xd8\xff", "名冊.txt": "".join(map(str, range(300_000))).encode()})
    yield "text/csv", "姓名,金額\n甲,1".encode()
    yield "text/plain", "整改報告".encode("gb18030")
    yield SIGNATURE, bytes.fromhex("3082010006092a864886f70d010702") + bytes(16)


@every_row("declared, content", _filed())
def test_documents_of_the_office_are_filed(declared: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "document").write_bytes(content)
    media_type, size = check_content(tmp_path / "document", declared)
    assert (media_type, size) == (declared.partition(";")[0].lower(), len(content))


def _refused() -> Iterator[tuple[str, str, bytes]]:
    yield "空的", PDF, b""
    yield "不收", "text/html", b"<html></html>"
    yield "不收", "image/svg+xml", b"<svg/>"
    yield "不收", "application/x-msdownload", b"MZ"
    yield "網頁", "text/plain", b"\xef\xbb\xbf  <!DOCTYPE html><script>alert(1)</script>"
    yield "網頁", "text/plain", b'<?xml version="1.0"?><svg onload="x"/>'
    yield "不符", PDF, b"\x89PNG\r\n\x1a\n"
    yield "不符", "image/png", PDF_BYTES
    yield "不符", "text/plain", bytes(range(256))
    yield "不符", "text/plain", b"MZ\x90\x00\x03"
    yield "不符", DOCX, packed({"x.txt": b"x"})
    yield "不符", ZIP, packed({"[Content_Types].xml": WORD})
    yield "舊式", DOCX, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64)
    yield "巨集", XLSX, packed({"[Content_Types].xml": SHEET})
    yield "巨集", DOCX, packed({"[Content_Types].xml": WORD, "word/vbaProject.bin": b"x"})
    yield "巨集", ODT, packed({"mimetype": ODT.encode(), "Basic/Standard/Module1.xml": b"x"})
    yield "巨集", ZIP, packed({"report.XLSM": b"x"})
    yield "可執行文件", ZIP, packed({"setup.EXE": b"MZ"})
    yield "又有壓縮檔", ZIP, packed({"in.zip": b"PK"})
    yield "越出", ZIP, packed({"../../etc/passwd": b"x"})
    yield "越出", ZIP, packed({"C:/x.txt": b"x"})
    yield "加密", ZIP, encrypted(packed({"x.txt": b"x"}))
    yield "過大", ZIP, packed({"bomb.txt": bytes(40 * 2**20)})
    yield "2000", ZIP, packed({f"{number}.txt": b"x" for number in range(2_001)})
    yield "損壞", ZIP, packed({"x.txt": b"x" * 999})[:-12]
    yield "損壞", ZIP, altered(packed({"x.txt": bytes(range(200))}))


@every_row("why, declared, content", _refused())
def test_others_are_refused_and_told_why(why: str, declared: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "document").write_bytes(content)
    with pytest.raises(DocumentRefused) as refused:
        check_content(tmp_path / "document", declared)
    assert why in refused.value.zh, refused.value.zh


def test_a_document_has_a_greatest_size(tmp_path: Path) -> None:
    with (tmp_path / "document").open("wb") as file:
        file.write(PDF_BYTES)
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(DocumentRefused, match="50 MB"):
        check_content(tmp_path / "document", PDF)


def test_members_that_share_their_bytes_count_each(tmp_path: Path) -> None:
    """An archive whose directory names one member many times over unpacks to far more than it says on its face."""
    content = packed({"a.txt": bytes(range(256)) * 100})
    begin = content.index(b"PK\x01\x02")
    entry, end = content[begin : content.index(b"PK\x05\x06")], bytearray(content[content.index(b"PK\x05\x06") :])
    count = 300
    end[8:12] = count.to_bytes(2, "little") * 2
    end[12:16] = (len(entry) * count).to_bytes(4, "little")
    (tmp_path / "document").write_bytes(content[:begin] + entry * count + bytes(end))
    with pytest.raises(DocumentRefused, match="過大"):
        check_content(tmp_path / "document", ZIP)
