/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a fuzz target defines: libFuzzer's entry point (its name is libFuzzer's). Always returns 0. */
#ifndef RK_TESTS_FUZZ_FUZZ_H
#define RK_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
