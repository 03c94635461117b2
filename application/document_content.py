"""What a document is, by its own bytes: of a kind that the office files, as it was declared, and harmless to open.

Refused are what can act when it is opened (macros, scripts, pages), what cannot be read later (encrypted), and archives
that would swell beyond all measure.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.kernel.explanation import show
from domain.kernel.failure import Failure, FailureKind

MOST_BYTES: Final = 50 * 2**20
"""Of a document."""
MOST_MEMBERS: Final = 2_000
"""Of an archive."""
MOST_UNPACKED: Final = 300 * 2**20
"""Bytes that an archive may come to."""
MOST_SWELLING: Final = 200
"""How many times its packed size a large member may come to: tables pack a hundredfold, bombs a thousandfold."""
_SMALL: Final = 2**20
"""Bytes up to which a member may swell as it likes."""

PDF: Final = "application/pdf"
ZIP: Final = "application/zip"
OFD: Final = "application/ofd"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX: Final = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
ODT: Final = "application/vnd.oasis.opendocument.text"
ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
SIGNATURE: Final = "application/pkcs7-signature"
TEXTS: Final = frozenset({"text/plain", "text/csv"})
TYPES: Final = frozenset(
    {PDF, ZIP, OFD, DOCX, XLSX, PPTX, ODT, ODS, SIGNATURE, "image/png", "image/jpeg", "image/tiff", *TEXTS}
)
"""What may be filed."""
EXTENSIONS: Final = {
    ".pdf": PDF,
    ".zip": ZIP,
    ".ofd": OFD,
    ".docx": DOCX,
    ".xlsx": XLSX,
    ".pptx": PPTX,
    ".odt": ODT,
    ".ods": ODS,
    ".p7s": SIGNATURE,
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".txt": "text/plain",
    ".csv": "text/csv",
}
"""What a file's name says of it."""
_NAMES: Final = " ".join(suffix.removeprefix(".") for suffix in EXTENSIONS)


def name_type(name: str) -> str:
    """The media type that a file's name says."""
    return EXTENSIONS.get(Path(name).suffix.lower(), "application/octet-stream")


class DocumentRefused(Failure):
    """A document that is not filed; the texts say why, and what would do."""

    kind = FailureKind.USAGE


def check_content(path: Path, declared: str) -> tuple[str, int]:
    """The media type of that file, which is the declared one, and how many bytes it has. Raises DocumentRefused."""
    media_type = declared.partition(";")[0].strip().lower()
    size = path.stat().st_size
    if size == 0:
        raise DocumentRefused("文件是空的", "the document is empty")
    if size > MOST_BYTES:
        raise too_large()
    if media_type not in TYPES:
        raise DocumentRefused(
            f"不收 {show(media_type)} 類文件；可收：{_NAMES}",
            f"{show(media_type)} is not filed; these are: {_NAMES}",
        )
    kinds = _find_kinds(path)
    if media_type not in kinds:
        found_zh, found_en = ("、".join(sorted(kinds)), ", ".join(sorted(kinds))) if kinds else ("不明", "unknown")
        raise DocumentRefused(
            f"所稱類型 {media_type} 與內容不符：內容是 {found_zh}",
            f"declared as {media_type}, but its content is {found_en}",
        )
    return media_type, size


def too_large() -> DocumentRefused:
    """What is said of one beyond the limit."""
    return DocumentRefused(
        f"文件至多 {MOST_BYTES // 2**20} MB：請壓縮圖片或分成幾份",
        f"a document has at most {MOST_BYTES // 2**20} MB: make its pictures smaller, or several of it",
    )


def _find_kinds(path: Path) -> frozenset[str]:
    """What the bytes may be; empty if nothing that is known here. Raises DocumentRefused for what is harmful."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return frozenset({media_type})
    if head.startswith(b"PK\x03\x04"):
        return frozenset({_find_archive_kind(path)})
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise DocumentRefused(
            "舊式或加密的 Office 文件不收：請以 docx、xlsx、pptx 不設密碼另存",
            "an office file of the old kind, or an encrypted one: save it as docx, xlsx or pptx, without a password",
        )
    if head.startswith(b"\x30") and head[1:2] in (b"\x80", b"\x82", b"\x83") and _SIGNED_DATA in head[:_NEAR]:
        return frozenset({SIGNATURE})
    return _find_text_kinds(path)


_HEAD: Final = 4096
_NEAR: Final = 32
_SIGNED_DATA: Final = bytes.fromhex("06092a864886f70d010702")
"""The object identifier that PKCS #7 begins signed data with."""
_MAGIC: Final = (
    (b"%PDF-", PDF),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
_MARKUP: Final = re.compile(r"<(?:!doctype|html|svg|script|body|head|iframe|\?xml)\b", re.IGNORECASE)


def _find_text_kinds(path: Path) -> frozenset[str]:
    """Plain text in UTF-8 or GB 18030, and no page or picture that a browser would open."""
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if any(ord(character) < _SPACE and character not in "\t\n\r\f" for character in set(text)):
            return frozenset()
        if _MARKUP.search(text[:_HEAD]):
            raise DocumentRefused(
                "HTML、SVG 等網頁文件不收：請另存為 PDF", "pages and drawings (HTML, SVG) are not filed: save as PDF"
            )
        return TEXTS
    return frozenset()


_SPACE: Final = 0x20


@dataclass(frozen=True)
class _Archive:
    """A ZIP, with what its members are called."""

    file: zipfile.ZipFile
    members: tuple[zipfile.ZipInfo, ...]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(member.filename for member in self.members)

    def read(self, name: str, most: int) -> bytes:
        """The beginning of that member; empty if it is not there."""
        if name not in self.names:
            return b""
        with self.file.open(name) as member:
            return member.read(most)


def _find_archive_kind(path: Path) -> str:
    """What an archive is, once it is known to be harmless. Raises DocumentRefused."""
    try:
        with zipfile.ZipFile(path) as file:
            archive = _Archive(file, tuple(file.infolist()))
            _require_measure(archive, path.stat().st_size)
            _require_readable(archive)
            return _name_archive(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as broken:
        raise DocumentRefused(
            "壓縮檔已損壞，或用了不通行的壓縮法", "the archive is broken, or packed in a rare way"
        ) from broken


def _require_measure(archive: _Archive, size: int) -> None:
    """Refuse, before anything is unpacked, what would swell, what is encrypted, and members that share their bytes."""
    if any(member.flag_bits & 0x1 for member in archive.members):
        raise DocumentRefused("加密的壓縮檔不收：請去除密碼", "an encrypted archive: take its password off")
    if len(archive.members) > MOST_MEMBERS:
        raise DocumentRefused(f"壓縮檔內逾 {MOST_MEMBERS} 個文件", f"the archive holds more than {MOST_MEMBERS} files")
    unpacked = sum(member.file_size for member in archive.members)
    swells = any(m.file_size > max(_SMALL, MOST_SWELLING * m.compress_size) for m in archive.members)
    shares = sum(member.compress_size for member in archive.members) > size
    if unpacked > MOST_UNPACKED or swells or shares:
        raise DocumentRefused(
            f"壓縮檔解開後過大（至多 {MOST_UNPACKED // 2**20} MB）",
            f"the archive swells beyond measure (at most {MOST_UNPACKED // 2**20} MB unpacked)",
        )
    for member in archive.members:
        name = member.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or ":" in name:
            raise DocumentRefused("壓縮檔內有越出其外的路徑", "the archive names places outside itself")


def _require_readable(archive: _Archive) -> None:
    """Unpack every member once, within what it says of itself; its checksum must agree. Raises what zipfile does."""
    for member in archive.members:
        with archive.file.open(member) as opened:
            while opened.read(_SMALL):
                pass


def _name_archive(archive: _Archive) -> str:
    """Which kind of document the archive is. Raises DocumentRefused for one that brings macros or further archives."""
    names = {name.lower() for name in archive.names}
    if any(_ACTS.search(name) for name in names):
        raise _refuse_macros()
    if "[content_types].xml" in names:
        types = archive.read("[Content_Types].xml", _SMALL)
        if b"macroenabled" in types.lower():
            raise _refuse_macros()
        for main, media_type in _MAIN_PARTS:
            if main in types:
                return media_type
    mimetype = archive.read("mimetype", _NEAR * 4).decode("ascii", "replace")
    if mimetype in (ODT, ODS):
        return mimetype
    if "ofd.xml" in names:
        return OFD
    if nested := [name for name in names if name.endswith(_ARCHIVES)]:
        raise DocumentRefused(
            f"壓縮檔內又有壓縮檔：{show(nested[0])}", f"an archive within the archive: {show(nested[0])}"
        )
    if any(name.endswith(_PROGRAMS) for name in names):
        raise DocumentRefused("壓縮檔內有可執行文件", "there are programs in the archive")
    return ZIP


def _refuse_macros() -> DocumentRefused:
    return DocumentRefused("含巨集的文件不收：請另存為不含巨集者", "it brings macros: save it without them")


_ACTS: Final = re.compile(r"(^|/)(vbaproject\.bin|vbadata\.xml|activex/|basic/|scripts/)|\.(docm|xlsm|pptm|dotm|xltm)$")
_ARCHIVES: Final = (".zip", ".rar", ".7z", ".gz", ".tar", ".bz2", ".xz", ".cab", ".iso")
_PROGRAMS: Final = (
    ".exe",
    ".dll",
    ".com",
    ".scr",
    ".bat",
    ".cmd",
    ".ps1",
    ".vbs",
    ".js",
    ".jar",
    ".msi",
    ".lnk",
    ".hta",
)
_MAIN_PARTS: Final = (
    (b"wordprocessingml.document.main+xml", DOCX),
    (b"spreadsheetml.sheet.main+xml", XLSX),
    (b"presentationml.presentation.main+xml", PPTX),
)
