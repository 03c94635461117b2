"""What an event says is told in the reader's language."""

from __future__ import annotations

from application.event_text import describe_event
from cli.output import Form, Printer
from domain.project.evaluation import AuditOpinionIssued, Opinion
from languages import Language

ISSUED = AuditOpinionIssued(opinion=Opinion.QUALIFIED, eligible=321_548_00, finding="憑證不全", auditor="ORG-AUD")


def test_fields_and_values_are_told_in_chinese() -> None:
    text = describe_event(ISSUED, Printer(Form.TABLE, Language.HANT).say)
    assert text == "審計意見 保留意見；審定支出 ¥321,548.00；查明情況 憑證不全；審計機構 ORG-AUD"


def test_fields_and_values_are_told_in_english() -> None:
    text = describe_event(ISSUED, Printer(Form.TABLE, Language.EN).say)
    assert text == ("audit opinion qualified; eligible expenditure ¥321,548.00; finding 憑證不全; auditor ORG-AUD")
