/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Line editing at the prompt of a Python without an application.
 *
 * It is isolated, as `python -I`, which has none because its settings and its
 * history would be files of the user's.  Editing and completion need none.
 */
#ifndef PEXCZ_PROMPT_H
#define PEXCZ_PROMPT_H

/* To be called before Py_RunMain(); does nothing where no prompt will be. */
void pexcz_prompt_edit(void);

#endif
