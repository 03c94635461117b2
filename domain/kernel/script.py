"""The office's words in either script: who types simplified characters means the same word."""

from __future__ import annotations

_TRADITIONAL = (
    "並併來係個備優內兩別刪則創劃劑動務匯區協參員問啟單嚴國圍團執報場實審寫將專對導屆層屬帶庫廢後從復徵態憑應"
    "戶採換撥擇擔據擬攤數於時曆書會構業條棄樓標機檔檢權歸殼決沒減滿為無營獨現畢異當發監眾確碼稱筆範簽籌約納紙"
    "級終組結統經線編緩縣總績織繫續罰職聯聽與處虛號蓋補製複見規親覽計訂託記訓設註評該認說調請論諾證議變負財責"
    "費買貼資質賬購車載輕輛輪轉辦辯週進運過達違遞選釋錄銷鏈鐘開間關陳隊階險電類項須預領題額願風餘館駐驗體點黨準"
)
_SIMPLIFIED = (
    "并并来系个备优内两别删则创划剂动务汇区协参员问启单严国围团执报场实审写将专对导届层属带库废后从复征态凭应"
    "户采换拨择担据拟摊数于时历书会构业条弃楼标机档检权归壳决没减满为无营独现毕异当发监众确码称笔范签筹约纳纸"
    "级终组结统经线编缓县总绩织系续罚职联听与处虚号盖补制复见规亲览计订托记训设注评该认说调请论诺证议变负财责"
    "费买贴资质账购车载轻辆轮转办辩周进运过达违递选释录销链钟开间关陈队阶险电类项须预领题额愿风余馆驻验体点党准"
)
_TABLE = str.maketrans(_TRADITIONAL, _SIMPLIFIED)


def simplified(word: str) -> str:
    """A word of ours in simplified characters, to compare it by; not for texts that people read."""
    return word.translate(_TABLE)
