/* SPDX-License-Identifier: Apache-2.0 */
/* The objects that the garbage collector does not look at: gc.freeze(). */
#ifndef PEXCZ_FROZEN_H
#define PEXCZ_FROZEN_H

/* The object that was frozen last, by which a later gc.freeze() or
 * gc.unfreeze() is noticed; gc.get_freeze_count() looks at every object. */
const void *pexcz_frozen_last(void);

/* As gc.unfreeze(), without importing gc. */
void pexcz_frozen_release(void);

#endif
