# SPDX-License-Identifier: Apache-2.0
"""The modules that snapshot_import.py mends: in front of that and of
snapshot_trace.py."""

import sys

# What they do while they are imported, which is undone or redone at restore.
MENDED = {
    "_strptime": {"time.daylight", "time.strftime()", "time.tzname"},
    "aiohttp.connector": {"ssl.SSLContext"},
    "ctypes": {"ctypes.dlopen"},
    "dateutil.parser._parser": {"time.localtime()"},
    "django.utils.encoding": {"locale.setlocale()"},
    "logging": {"time.time()", "time.time_ns()"},
    "mercurial.posix": {"os.umask()"},
    "mercurial.pycompat": {"sys.argv", "sys.executable"},
    "multiprocessing.process": {"os.getcwd()", "os.urandom()", "sys.argv"},
    "multiprocessing.spawn": {"sys.executable"},
    "multiprocessing.util": {"os.sysconf()"},
    "numpy.f2py.rules": {"time.asctime()", "time.time()"},
    "numpy.random.mtrand": {"os.urandom()"},
    "numpy.testing._private.utils": {"os.confstr()"},
    "random": {"os.urandom()"},
    "pip._vendor.rich.style": {"random.getrandbits()"},
    "pip._vendor.urllib3.util.connection": {"socket.__new__", "socket.bind"},
    "rich.style": {"random.getrandbits()"},
    "scipy.fft._pocketfft.helper": {"os.cpu_count()"},
    "subprocess": {"os.confstr()"},
    "sysconfig": {
        "os.environ", "os.getuid()", "os.lstat()", "os.readlink()", "os.stat()",
        "sys.executable",
    },
    "urllib3.util.connection": {"socket.__new__", "socket.bind"},
}

# Names that a module of a project must have for that.  Another version of the
# project may lack them, and do something else while it is imported.
STYLE = "_id_generator count getrandbits"
CONNECTION = "HAS_IPV6 _has_ipv6"
NEEDED = {
    "aiohttp.connector":
        "_SSL_CONTEXT_UNVERIFIED _SSL_CONTEXT_VERIFIED _make_ssl_context",
    "dateutil.parser._parser": "parserinfo",
    "django.utils.encoding": "DEFAULT_LOCALE_ENCODING get_system_encoding",
    "mercurial.posix": "umask",
    "mercurial.pycompat": "sysargv sysexecutable",
    "numpy.f2py.rules": "generationtime module_rules",
    "numpy.random.mtrand": "seed",
    "numpy.testing._private.utils": "_get_glibc_version _glibcver",
    "pip._vendor.rich.style": STYLE,
    "pip._vendor.urllib3.util.connection": CONNECTION,
    "rich.style": STYLE,
    "scipy.fft._pocketfft.helper": "_cpu_count",
    "urllib3.util.connection": CONNECTION,
}


def is_known(name, module):
    return all(hasattr(module, word) for word in NEEDED.get(name, "").split())


def finds_zones(module):
    """Whether dateutil.tz.tz is as snapshot_zone.py knows it."""
    return hasattr(module, "tzfile") and type(vars(
        type(getattr(module, "gettz", None))).get("nocache")) is staticmethod


def is_zone_name(name):
    """As of a file below /usr/share/zoneinfo."""
    return type(name) is str and name[:1].isalpha() \
        and name.isascii() and name.translate({ord(c): "" for c in "/_+-"}).isalnum()


def names_table(names):
    """A table of patterns with the names of a _strptime.LocaleTime."""
    return sys.modules["_strptime"].TimeRE(names)


def zoned_patterns(table):
    """Those of the patterns in it that may have the name of the time zone."""
    return {key: dict.get(table, key) for key in "cxXZ"}
