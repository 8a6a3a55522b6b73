/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include "config_in_use.h"

#include <internal/pycore_interp.h>

PyConfig *
pexcz_config_in_use(void)
{
    return &PyInterpreterState_Get()->config;
}
