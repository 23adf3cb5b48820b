// What automatic mixed precision means for our own kernels.
#pragma once

#include <ATen/ATen.h>

namespace tapestry {

// The dtype in which a kernel should write when it reads this tensor: low precision inside an autocast scope of the
// tensor's device, else the tensor's own.
at::ScalarType autocast_dtype(const at::Tensor& tensor);

}  // namespace tapestry
