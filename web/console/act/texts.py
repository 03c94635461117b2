"""What the pages of an act say, and the words on the button that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from web.components.words import tell_command
from web.console.failure import LEFT_BEHIND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from web.console.texts import Texts

TEXTS: Final[Texts] = {
    "error_summary": ("填寫內容有誤，請修改：", "There is a problem with what was entered:"),
    "acts_as": ("以「{seat}」的身份辦理", "You act as {seat}"),
    "file": ("卷宗", "File"),
    "stage": ("目前階段", "Stage"),
    "amount": ("項目金額", "Project amount"),
    "tranche": ("期次", "Tranche"),
    "tranche_requested": ("本期申請金額", "Amount requested"),
    "tranche_paid": ("本期已撥付", "Amount paid"),
    "tranche_left": ("本期未撥付", "Amount not paid yet"),
    "payee": ("收款方", "Payee"),
    "payee_unregistered": ("尚未備案", "not registered yet"),
    "payee_registered": ("已備案", "registered"),
    "payee_unconfirmed": ("已備案，尚未核實", "registered, not verified yet"),
    "begins": ("將新建卷宗 {name}", "This begins the file {name}"),
    "instead": ("如應另作決定：", "Decide otherwise: "),
    "optional": ("（選填）", " (optional)"),
    "terms": ("可填：{terms}", "Choose from: {terms}"),
    "choose": ("請選擇", "Choose"),
    "yes": ("是", "Yes"),
    "no": ("否", "No"),
    "not_said": ("不填", "Not stated"),
    "add_row": ("增加行", "Add rows"),
    "kept": ("已附：", "Attached: "),
    "drop": ("移除", "Remove"),
    "ranking": ("排名", "Ranking"),
    "rank": ("名次", "Rank"),
    "bid": ("申報", "Application"),
    "bidders": ("申報單位", "Applicants"),
    "requested": ("申請資助金額", "Applied for"),
    "progress": ("進度", "Progress"),
    "sheets_given": ("已交 {given} / {wanted} 份", "{given} of {wanted} sheets submitted"),
    "points_total": ("合計得分", "Total"),
    "criterion": ("評分項", "Criterion"),
    "points_of": ("（滿分 {most}）", "(at most {most})"),
    "points_most": ("滿分", "Out of"),
    "score": ("得分", "Score"),
    "bonus": ("加分", "Bonus"),
    "total": ("總分", "Total"),
    "chosen": ("入選", "Selected"),
    "not_chosen": ("未入選", "Not selected"),
    "purse": ("資金來源或年度預算", "Fund or budget"),
    "purse_left": ("可用額度（元）", "Left (yuan)"),
    "purse_drawn": ("本次（元）", "This decision (yuan)"),
    "purse_over": ("超出額度", "exceeds what is left"),
    "account": ("收款賬戶", "Payee account"),
    "account_bank": ("開戶銀行", "Bank"),
    "account_holder": ("戶名", "Name of the holder"),
    "account_number": ("賬號", "Account number"),
    "account_known": ("已填寫；要改則重新填寫三項。校驗值", "Filled in; to change it, fill in all three again. Digest"),
    "file_hint": (
        "PDF、OFD、DOCX、XLSX、PPTX、圖片或 ZIP，每份至多 50 MB；確認辦理後才作記錄。",
        "PDF, OFD, DOCX, XLSX, PPTX, pictures or ZIP, at most 50 MB each. Recorded only when you confirm.",
    ),
    "seal_here": ("在本機撰寫並密封", "Write and seal it on this machine"),
    "seal_note": (
        "以下內容只在您的瀏覽器中處理，送出的只有校驗值。請妥為保密所存的密封件，開啟後憑它提交。",
        "What you type below stays in your browser: only its digest is sent. Keep the envelope secret till then.",
    ),
    "seal_without": (
        "瀏覽器未開腳本，不能在此密封。請下載密封程序在本機運行，把所得校驗值填入上表：",
        "Sealing here needs JavaScript. Without it, run this program on your own machine and enter its digest above:",
    ),
    "seal_checked": (
        "密封前只核對必填各項和以上限額；需求、資格、信用和名額在開啟後才審查，屆時只能原樣提交。",
        "Checked before sealing: required fields and these limits. All else is judged as it stands after the opening.",
    ),
    "seal_free": ("不設限額", "no limits"),
    "limit_requested": ("申請資助金額至多 {cap}", "at most {cap} may be applied for"),
    "limit_match_pledged": ("配套須達總預算的 {match}%", "match funding: at least {match}% of the whole budget"),
    "limit_partners": ("不接受聯合申報", "joint applications are not accepted"),
    "limit_fields": ("領域限於{fields}", "fields must be among: {fields}"),
    "seal_file": ("申報書.json", "application.json"),
    "seal_button": ("密封並保存密封件", "Seal it and save the envelope"),
    "seal_done": (
        "已密封，校驗值已填入上表。請確認密封件已保存，連同附件原件留存，再核對遞交。",
        "Sealed, with the digest filled in above. Keep the saved envelope with its documents, then check.",
    ),
    "seal_wrong": ("請改正：", "Please correct: "),
    "envelope": ("密封件", "Envelope"),
    "envelope_hint": (
        "監督人開啟之後方可提交。選擇密封時所存的文件（.json）；有附件的，同時在下面附上原件。",
        "Possible only after the opening. Choose the file (.json) you saved, and attach the documents it names below.",
    ),
    "envelope_read": ("讀取密封件", "Read the envelope"),
    "at": ("辦理時間（補錄）", "Time of the act (if entered later)"),
    "at_hint": ("北京時間，如 2026-12-09 17:00", "Beijing time, such as 2026-12-09 17:00"),
    "to_check": ("核對", "Check"),
    "save": ("保存草稿", "Save as a draft"),
    "draft_kept": (
        "這是您於 {saved} 保存的草稿，尚未提交；只有您可以看到，保留至 {until}。",
        "This is your draft of {saved}. It has not been sent, only you can see it, and it is kept until {until}.",
    ),
    "draft_held": (
        "您於 {saved} 填寫的內容已保留（至 {until}），尚未提交；附件可能需要重新選擇。",
        "What you typed on {saved} is kept until {until}. It has not been sent; documents may have to be chosen again.",
    ),
    "left_behind": LEFT_BEHIND,
    "still_missing": ("提交前還須：", "Before it can be sent:"),
    "nothing_missing": ("所需內容均已具備，可以核對提交。", "Nothing is missing: it can be checked and sent."),
    "nothing_to_fill": ("此事項無須填寫其他內容。", "There is nothing to fill in."),
    "check_title": ("請核對：{what}", "Check: {what}"),
    "field": ("項目", "Item"),
    "mend": ("返回修改", "Change"),
    "comes_to": ("辦理後將記錄", "This will be recorded"),
    "two_persons": (
        "此為要事，須兩人：您提出後，須由另一人確認才生效。",
        "This takes two persons: you propose it, and it holds once another confirms it.",
    ),
    "irrevocable": ("辦理後不能撤回。", "This cannot be taken back."),
    "refused_title": ("不予辦理，原因如下：", "Not carried out, for these reasons:"),
    "trial_title": ("暫不能辦理，還須滿足以下條件：", "It cannot be done yet. These conditions are not met:"),
    "trial_note": ("僅為試算，未作任何記錄。所填內容均已保留。", "Nothing was recorded. What you typed is kept."),
    "refused_note": (
        "此次申請及原因已記錄。所填內容均已保留。",
        "The attempt and the reasons are recorded. What you typed is kept.",
    ),
    "last": ("最近辦理：{who} 於 {at} 辦理了「{what}」。", "Last: {who} did “{what}” on {at}."),
    "unknown_title": ("暫未收到辦理結果", "The outcome is not known yet"),
    "unknown_note": (
        "可能已經辦理成功。請以下面的按鈕憑原編號查詢，不會重複辦理。",
        "It may have been carried out. Ask again below under the same number: nothing is done twice.",
    ),
    "ask_again": ("憑原編號再次查詢", "Ask again under the same number"),
    "pending_title": ("正在辦理", "Being carried out"),
    "pending_note": ("此頁每 3 秒自動刷新；編號 {id}。", "This page reloads every 3 seconds. Number {id}."),
    "reload": ("刷新", "Reload"),
    "done": ("已辦理：{what}", "Done: {what}"),
    "not_done": ("未獲辦理：{what}", "Not carried out: {what}"),
    "receipt": ("回執編號", "Receipt"),
    "position": ("記錄序號", "Record no."),
    "recorded_at": ("記錄時間", "Recorded"),
    "actor": ("辦理人", "By"),
    "now_stage": ("目前階段", "Stage now"),
    "events": ("記錄內容", "What was recorded"),
    "next": ("下一件", "Next task"),
    "next_task": ("下一件待辦：{what}（{name}）", "Next: {what} ({name})"),
    "next_key": ("（快捷鍵 N）", "(access key N)"),
    "to_file": ("查看卷宗", "Open the file"),
    "to_inbox": ("返回我的待辦", "Back to my tasks"),
    "no_next": ("暫無待辦事項。", "No tasks."),
    "subject_title": ("{what}：為哪個卷宗辦理？", "{what}: for which file?"),
    "subject_realm": ("{what}：在哪個環境？", "{what}: in which environment?"),
    "subject_kind": ("類別", "Kind"),
    "subject_name": ("編號", "Number"),
    "subject_new": ("{what}：新編號", "{what}: a number for it"),
    "subject_hint": ("{kind}的編號，如 {prefix}-101。", "The number of the {kind}, such as {prefix}-101."),
    "subject_new_hint": (
        "尚未使用過的{kind}編號，如 {prefix}-101。",
        "A number that no {kind} has yet, such as {prefix}-101.",
    ),
    "seat_hint": (
        "角色代碼與序號，如 CAB-REG#3；可由列表選。",
        "The role's code and a number, as CAB-REG#3; the list has them.",
    ),
    "subject_unsaid": ("請填編號", "Enter a number"),
    "subject_other": (
        "這是另一類卷宗的編號：{kind}的編號如 {prefix}-101",
        "That is the number of another kind of file; a {kind} has one such as {prefix}-101",
    ),
    "subject_wrong": (
        "編號只可含字母、數字、點、底線與連字號",
        "A number has letters, digits, dots, underscores and hyphens",
    ),
    "continue": ("繼續", "Continue"),
}

_BUTTONS: Final[Mapping[str, tuple[str, str]]] = {
    "ApproveDisbursement": ("批准撥款", "Approve the payment"),
    "CheckDisbursement": ("複核通過", "Confirm the check"),
    "RequestDisbursement": ("提交撥款申請", "Request the payment"),
    "PayDisbursement": ("登記已撥付", "Record the payment"),
    "WithholdDisbursement": ("暫緩撥付", "Withhold the payment"),
    "ConfirmAward": ("批准立項", "Confirm the award"),
    "SubmitApplication": ("提交申報", "Submit the application"),
    "ReturnApplication": ("退回補正", "Return for completion"),
    "PassPreliminaryReview": ("通過初審", "Pass the preliminary review"),
    "FailPreliminaryReview": ("初審不予通過", "Fail the preliminary review"),
    "OpenAwardPublicity": ("發布公示", "Publish the notice"),
    "AcceptObjection": ("受理異議", "Accept the objection"),
    "CloseProject": ("准予結項", "Close the project"),
    "ArchiveProject": ("辦理歸檔", "Archive the file"),
    "OrderRectification": ("責令整改", "Order rectification"),
    "TerminateProject": ("終止項目", "Terminate the project"),
    "ResolveRound": ("審定評審結果", "Decide the round"),
    "SubmitNeed": ("提交需求", "Submit the need"),
    "AdoptNeed": ("採納需求", "Adopt the need"),
    "RejectNeed": ("不予採納", "Turn the need down"),
    "SubmitScore": ("提交評分", "Submit the score"),
    "ConfirmAct": ("確認要事", "Confirm the act"),
    "DropAct": ("撤回要事", "Drop the act"),
}
"""A verb and what it is done to, where the name of the command is a noun."""


def name_button(command: str) -> tuple[str, str]:
    """What the button says that has the command carried out: it names the act."""
    known = _BUTTONS.get(command)
    zh, en = tell_command(command)
    return known or (f"確認辦理：{zh}", en)
