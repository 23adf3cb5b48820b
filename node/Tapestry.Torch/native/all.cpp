// One translation unit: libtorch's headers take ten seconds to read, and this way they are read once.
#include "error.cpp"
#include "blas.cpp"
#include "autocast.cpp"
#include "device.cpp"
#include "tensor.cpp"
#include "operators.cpp"
#include "functional.cpp"
#include "fused.cpp"
