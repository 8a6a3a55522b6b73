/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEXCZ_CONFIG_IN_USE_H
#define PEXCZ_CONFIG_IN_USE_H

#include <Python.h>

/* The interpreter's own configuration, which Python shows to nobody else. */
PyConfig *pexcz_config_in_use(void);

#endif
