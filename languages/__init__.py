"""三種語言: every text for a reader passes here on its way out (docs/decisions/037).

The code says each text in Traditional Chinese and in English, side by side. Simplified Chinese, the standard characters
of state organs, is made from those words by OpenCC's tables and the exceptions that were reviewed; never from what
people typed.
"""

from languages.language import Language, choose_language, read_language

__all__ = ["Language", "choose_language", "read_language"]
