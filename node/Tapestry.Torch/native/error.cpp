// The last error of each thread, and the one place where exceptions end.
#include "shim.hpp"

namespace tapestry {

std::atomic<int64_t> live_tensors{0};
std::atomic<int64_t> live_bytes{0};

namespace {
thread_local std::string last_error;

int32_t keep(int32_t status, const char* text) noexcept {
    try {
        last_error = text;
    } catch (...) {
        last_error.clear();  // No memory even for the text: the status still tells.
    }
    return status;
}
}  // namespace

int32_t failed() noexcept {
    try {
        throw;
    } catch (const c10::Error& error) {
        const std::string_view text = error.what_without_backtrace();
        const auto says = [&](std::string_view words) { return text.find(words) != std::string_view::npos; };
        const bool memory = says("out of memory") || says("not enough memory") || says("can't allocate memory");
        return keep(memory ? TAP_OUT_OF_MEMORY : TAP_TORCH_ERROR, text.data());
    } catch (const std::bad_alloc&) {
        return keep(TAP_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception& error) {
        return keep(TAP_OTHER_ERROR, error.what());
    } catch (...) {
        return keep(TAP_OTHER_ERROR, "an exception that is not a std::exception");
    }
}

}  // namespace tapestry

const char* tap_last_error(void) {
    return tapestry::last_error.c_str();
}

// For the tests of the barrier: 0 c10::Error, 1 bad_alloc, 2 logic_error, 3 something that is no exception at all.
int32_t tap_throw(int32_t kind) {
    TAP_GUARD(switch (kind) {
        case 0: TORCH_CHECK(false, "thrown on purpose");
        case 1: throw std::bad_alloc();
        case 2: throw std::logic_error("thrown on purpose");
        default: throw kind;
    })
}
