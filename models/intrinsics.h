#pragma once

/// The vector instructions of the processor, for code that is chosen at run time. Only for sources: it quietens warnings.
#if defined(__x86_64__)
#include <immintrin.h>
#ifndef __clang__
// Its own header leaves registers undefined on purpose: GCC bug 105593.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#endif
