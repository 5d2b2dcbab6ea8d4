#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

#include "base/check.h"

namespace godwit::core {

/// What an operation returns that has nothing to tell.
struct Done {};

/// Where a host keeps the result of an operation that is under way. It must outlive the wait.
template <class T>
class Completion {
 public:
  bool awaited() const { return waiter_ != nullptr; }
  /// Ends the operation and lets whoever waits for it go on, inside this call. Requires awaited().
  void complete(T result) {
    GODWIT_CHECK(awaited());
    result_ = result;
    std::exchange(waiter_, nullptr).resume();
  }
  /// Forgets the waiter, whose coroutine is about to be destroyed.
  void abandon() { waiter_ = nullptr; }

 private:
  template <class U>
  friend class Await;
  std::coroutine_handle<> waiter_ = nullptr;
  T result_{};
};

/// What a port returns: an awaitable without a coroutine frame. Ready at once on a real host, whose calls block.
template <class T>
class [[nodiscard]] Await {
 public:
  Await(T result) : result_(result) {}                   // NOLINT(google-explicit-constructor): a result is an Await
  Await(Completion<T>& pending) : pending_(&pending) {}  // NOLINT(google-explicit-constructor)

  bool await_ready() const { return pending_ == nullptr; }
  void await_suspend(std::coroutine_handle<> waiter) {
    GODWIT_CHECK(!pending_->awaited());
    pending_->waiter_ = waiter;
  }
  T await_resume() { return pending_ == nullptr ? result_ : pending_->result_; }

 private:
  Completion<T>* pending_ = nullptr;
  T result_{};
};

/// The memory that coroutine frames live in: a stack, for a task ends before the one that awaits it.
class FrameStack {
 public:
  explicit FrameStack(std::span<std::byte> storage) : storage_(storage) {}

  void* push(std::size_t size) {
    const std::size_t need = kHeader + (size + kHeader - 1) / kHeader * kHeader;
    GODWIT_CHECK(used_ + need <= storage_.size());
    std::byte* at = storage_.data() + used_;
    *reinterpret_cast<FrameStack**>(at) = this;
    used_ += need;
    return at + kHeader;
  }

  static void pop(void* frame) {
    std::byte* at = static_cast<std::byte*>(frame) - kHeader;
    FrameStack& stack = **reinterpret_cast<FrameStack**>(at);
    stack.used_ = static_cast<std::size_t>(at - stack.storage_.data());
  }

 private:
  static constexpr std::size_t kHeader = 16;  // keeps frames aligned to 16 bytes
  std::span<std::byte> storage_;
  std::size_t used_ = 0;
};

/// A coroutine of the core. It starts at once and runs until its first wait, so that operations that never wait cost
/// no stack, on any compiler and at any optimisation. Its owner must have `FrameStack& frames()` and be its `*this`.
template <class T>
class [[nodiscard]] Task {
 public:
  class promise_type {
   public:
    template <class Owner, class... Arguments>
    static void* operator new(std::size_t size, Owner& owner, Arguments&&...) {
      return owner.frames().push(size);
    }
    static void operator delete(void* frame, std::size_t) { FrameStack::pop(frame); }

    Task get_return_object() { return Task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct ToWaiter {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
          const std::coroutine_handle<> waiter = self.promise().waiter_;
          return waiter ? waiter : std::noop_coroutine();
        }
        void await_resume() noexcept {}
      };
      return ToWaiter{};
    }
    void return_value(T value) { value_ = value; }
    void unhandled_exception() { panic(__FILE__, __LINE__, "an exception in the core"); }

   private:
    friend class Task;
    std::coroutine_handle<> waiter_ = nullptr;
    T value_{};
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool done() const { return handle_.done(); }
  T value() const { return handle_.promise().value_; }  ///< Requires done().

  bool await_ready() const { return handle_.done(); }
  void await_suspend(std::coroutine_handle<> waiter) { handle_.promise().waiter_ = waiter; }
  T await_resume() const { return handle_.promise().value_; }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

}  // namespace godwit::core
