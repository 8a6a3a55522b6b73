# SPDX-License-Identifier: Apache-2.0
"""Names that a module of a project must have for snapshot_import.py to mend it:
in front of that and of snapshot_trace.py.

Another version of the project may lack them, and do something else while it is
imported.
"""

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
