// One translation unit: libtorch's headers take ten seconds to read, and this way they are read once.
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>
#include <vector>

#include "error.cpp"
#include "blas.cpp"
#include "autocast.cpp"
#include "device.cpp"
#include "tensor.cpp"
#include "operators.cpp"
#include "functional.cpp"
#include "fused_rms_norm.cpp"
#include "fused_rope.cpp"
#include "fused_swiglu.cpp"
#include "attention.cpp"
#include "optimiser.cpp"
