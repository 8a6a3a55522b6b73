/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_objects.h"

struct pexcz_snapshot_objects pexcz_snapshot_objects;
