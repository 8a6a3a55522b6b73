# SPDX-License-Identifier: Apache-2.0
"""What modules ask of the locale while they are imported: between
snapshot_zone_watch.py and snapshot_variables_watch.py.

A snapshot is for starts that read and write UTF-8; where a module has asked for
the encoding, for those whose locale is one of UTF-8.  Its name is another one in
nearly every session.
"""

import sys

LOCALE = "locale.setlocale()"


class LocaleWatch(ZoneWatch):
    def __init__(self):
        super().__init__()
        self.encoding_readers = set()  # modules; None: code before all imports
        self.gets_locale = False       # its caller is told when it looks

    def watch_locale(self):
        import _locale
        self.wrap(_locale, "setlocale", self.allows_setlocale)
        # Of getpreferredencoding(False) only the spelling may differ.
        self.wrap(_locale, "getencoding", lambda args: (
            sys._getframe(2).f_code.co_name == "getpreferredencoding"
            or self.reads_encoding()))
        self.wrap(_locale, "nl_langinfo", lambda args: (
            args != (_locale.CODESET,) or self.reads_encoding()))

    def allows_setlocale(self, args):
        """Nobody but a program, which is seen, sets others than LC_CTYPE."""
        import _locale
        return self.gets_locale or args[1:] in ((), (None,)) \
            and args[0] not in (_locale.LC_CTYPE, _locale.LC_ALL)

    def asks_locale(self):
        self.blame(LOCALE, f"calls {LOCALE}")

    def reads_encoding(self):
        """False: it may not."""
        if self.standing_by:
            return False
        body = self.body() if self.active else None
        if body is not None or self.in_startup:
            self.encoding_readers.add(body)
        return True

    def watch_getlocale(self):
        """Of a pair of name and encoding the latter may be taken."""
        module = self.begin_watching("locale", "getlocale")
        if module is None:
            return
        watch = self
        real = module.getlocale

        class Locale(tuple):
            def __getitem__(self, place):
                if place != 1 or not watch.reads_encoding():
                    watch.asks_locale()
                return tuple.__getitem__(self, place)

        def asking(name):
            method = getattr(tuple, name)

            def asked(self, *args):
                watch.asks_locale()
                return method(self, *args)

            return asked

        for name in ("__add__", "__contains__", "__eq__", "__hash__", "__iter__", "__mul__",
                     "__ne__", "__repr__", "count", "index"):
            setattr(Locale, name, asking(name))

        def getlocale(category=module.LC_CTYPE):
            if category != module.LC_CTYPE or LOCALE in MENDED.get(self.body(), ()):
                return real(category)
            self.gets_locale = True
            try:
                return Locale(real(category))
            finally:
                self.gets_locale = False

        module.getlocale = getlocale
