"""How Panama writes moments, where Django's Spanish has Spain's 24 hours."""

TIME_FORMAT = "g:i\xa0a"
DATETIME_FORMAT = r"j \d\e F \d\e Y \a \l\a\s g:i" + "\xa0a"
SHORT_DATETIME_FORMAT = "d/m/Y g:i\xa0a"
