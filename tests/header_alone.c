/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled once per public header, which must need no other include before it and must bear being
 * included twice. */
#include HEADER
#include HEADER /* NOLINT(readability-duplicate-include): twice is the test */

/* A translation unit may not be empty. */
extern const int header_is_complete;
const int header_is_complete = 1;
