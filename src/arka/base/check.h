// ARKA_CHECK: for what can only be false if Arka has a bug. Never for input.
#pragma once

#include <cstdio>
#include <cstdlib>

#define ARKA_CHECK(condition)                                                                 \
  do {                                                                                        \
    if (!(condition)) {                                                                       \
      std::fprintf(stderr, "%s:%d: ARKA_CHECK failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                           \
    }                                                                                         \
  } while (false)
