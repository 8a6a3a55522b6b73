# SPDX-License-Identifier: Apache-2.0
"""Sets again what objects keep of time zones: between snapshot_home.py and
snapshot_import.py.  What they may not be used for while the snapshot is made is
in snapshot_zone_watch.py.
"""

import sys

ZONES = []  # (name, dateutil.tz.tzfile of that name, which knows nothing yet)


def watch_zone_files(changes, module):
    if not finds_zones(module):
        return
    kind = type(module.gettz)
    find = kind.nocache

    def nocache(name=None):
        if not is_zone_name(name):
            return find(name)
        zone = module.tzfile.__new__(module.tzfile)
        ZONES.append((name, zone))
        return zone

    changes.replace(kind, "nocache", staticmethod(nocache))


def mend_zones():
    """Each becomes what is found under its name, as its maker would have got."""
    if not ZONES:
        return None
    find = type(sys.modules["dateutil.tz.tz"].gettz).nocache
    zones = list(ZONES)
    ZONES.clear()

    def after():
        for name, zone in zones:
            found = find(name)
            zone.__class__ = type(found)
            vars(zone).update(vars(found))
            # It may be one of an archive, from which others get it as well.
            getter = getattr(sys.modules.get("dateutil.zoneinfo"),
                             "get_zonefile_instance", None)
            archive = getattr(getter, "_cached_instance", None)
            for key, other in getattr(archive, "zones", {}).items():
                if other is found:
                    archive.zones[key] = zone

    return after


def mend_strptime(module):
    """Its objects have the names of the process's time zone."""
    import time

    objects = all_objects()
    kept = [o for o in objects if type(o) is module.LocaleTime]
    tables = [o for o in objects if module.TimeRE in type(o).__mro__]

    def after():
        for names in kept:
            if (time.tzname, time.daylight) != (names.tzname, names.daylight):
                module.LocaleTime.__init__(names)
                patterns = zoned_patterns(names_table(names))
                for table in tables:
                    if getattr(table, "locale_time", None) is names:
                        table.update(patterns)

    return after
