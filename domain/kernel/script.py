"""The office's words in either script: who types simplified characters means the same word."""

from __future__ import annotations

_TRADITIONAL = (
    "並佔併來係個偽備億優內兩冊別刪則創劃劑動務匯區協參員問啟單嚴國圍圓團執報場學實審寫將專對導屆層屬崗帶"
    "幣幾庫廢後徑從復徵態憑應戶採換撥撫擇擔據擬攤數於時暫曆書會條棄業構樓標樣機檔檢欄權歸殼決沒況減準滿為"
    "無營獨獲現環產畢異當發監眾確碼稱筆範簽籌紀約紅納紙級終組結給統綁經線編緩縣縮總績織繫繳續罰義聯職聽與"
    "萬蓋處虛號補製複見規親覽訂計訓託記設註評試該詳誌認語誤說調請論諾證議讀變負財責買費貼資質賬購車載輕輛"
    "輪轉辦辯這連週進運過達違遞選釋銀銷錄錯鍵鏈鐘鑰長門閉開間閱關陳隊階險離電項須預領頭題額願類風餘館駐驗"
    "體點黨齊齡"
)
_SIMPLIFIED = (
    "并占并来系个伪备亿优内两册别删则创划剂动务汇区协参员问启单严国围圆团执报场学实审写将专对导届层属岗带"
    "币几库废后径从复征态凭应户采换拨抚择担据拟摊数于时暂历书会条弃业构楼标样机档检栏权归壳决没况减准满为"
    "无营独获现环产毕异当发监众确码称笔范签筹纪约红纳纸级终组结给统绑经线编缓县缩总绩织系缴续罚义联职听与"
    "万盖处虚号补制复见规亲览订计训托记设注评试该详志认语误说调请论诺证议读变负财责买费贴资质账购车载轻辆"
    "轮转办辩这连周进运过达违递选释银销录错键链钟钥长门闭开间阅关陈队阶险离电项须预领头题额愿类风余馆驻验"
    "体点党齐龄"
)
_TABLE = str.maketrans(_TRADITIONAL, _SIMPLIFIED)


def simplify_word(word: str) -> str:
    """A word of ours in simplified characters, to compare it by; not for texts that people read."""
    return word.translate(_TABLE)
