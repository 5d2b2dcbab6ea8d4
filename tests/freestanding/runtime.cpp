// All that the core needs of its host besides its ports, as a kernel would give it: memory functions, a panic, a way
// in and a way out. No standard library is linked.
#include <cstddef>
#include <cstdint>

#include "base/check.h"

int migrate();

extern "C" {
void* memcpy(void* to, const void* from, std::size_t size) {
  auto* t = static_cast<volatile unsigned char*>(to);
  const auto* f = static_cast<const unsigned char*>(from);
  for (std::size_t i = 0; i < size; ++i) t[i] = f[i];
  return to;
}

void* memmove(void* to, const void* from, std::size_t size) {
  if (to < from) return memcpy(to, from, size);
  auto* t = static_cast<volatile unsigned char*>(to);
  const auto* f = static_cast<const unsigned char*>(from);
  for (std::size_t i = size; i-- > 0;) t[i] = f[i];
  return to;
}

void* memset(void* to, int value, std::size_t size) {
  auto* t = static_cast<volatile unsigned char*>(to);
  for (std::size_t i = 0; i < size; ++i) t[i] = static_cast<unsigned char>(value);
  return to;
}

int memcmp(const void* a, const void* b, std::size_t size) {
  const auto* x = static_cast<const volatile unsigned char*>(a);
  const auto* y = static_cast<const volatile unsigned char*>(b);
  for (std::size_t i = 0; i < size; ++i) {
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  }
  return 0;
}

/// What clang makes of a memcmp whose sign nobody wants.
int bcmp(const void* a, const void* b, std::size_t size) { return memcmp(a, b, size); }

[[noreturn]] void leave(int status) {
#if defined(__x86_64__)
  asm volatile("syscall" : : "a"(60), "D"(status) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
  register long call asm("x8") = 93;
  register long code asm("x0") = status;
  asm volatile("svc 0" : : "r"(call), "r"(code) : "memory");
#else
#error "how does a process leave here?"
#endif
  __builtin_unreachable();
}

/// Called through an abstract class that is not complete yet: never.
[[noreturn]] void __cxa_pure_virtual() { leave(101); }

[[noreturn]] void begin() { leave(migrate()); }

// The stack as the system hands it over is aligned to 16; a function expects it so before the return address.
#if defined(__x86_64__)
asm(".globl _start\n_start:\n  xor %ebp, %ebp\n  and $-16, %rsp\n  call begin\n");
#elif defined(__aarch64__)
asm(".globl _start\n_start:\n  bl begin\n");
#endif
}

void godwit::panic(const char*, int, const char*) { leave(100); }
