#!/bin/bash
# Builds artifacts/native/libtapestry_torch.so for the libtorch of this machine, once: a second call compares a stamp
# and ends. Usage: build.sh [--torch-dir DIR], or TAPESTRY_TORCH_DIR=DIR; DIR is the folder of an installed PyTorch
# (python3 -c 'import torch; print(torch.__path__[0])') or an unpacked libtorch, CUDA included. Without it, Debian's libtorch-dev.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
out=$root/artifacts/native
torch_dir=${TAPESTRY_TORCH_DIR:-}
if [ "${1:-}" = --torch-dir ]; then
    torch_dir=${2:?--torch-dir needs a folder}
fi

fail() {
    echo "build.sh: $1" >&2
    exit 1
}

# The stamp: our sources, and which libtorch. The library's own size and time stand for its content.
if [ -n "$torch_dir" ]; then
    library=$torch_dir/lib/libtorch_cpu.so
    headers=$torch_dir/include
else
    library=$(ls /usr/lib/*/libtorch_cpu.so 2>/dev/null | head -1 || true)
    headers=/usr/include
fi
[ -e "$library" ] || fail "no libtorch: install libtorch-dev, or pass --torch-dir the folder of an installed PyTorch"
[ -e "$headers/ATen/ATen.h" ] || fail "libtorch is at $library, but its headers are not in $headers: install libtorch-dev"
hash=$(cat "$here"/*.cpp "$here"/*.hpp "$here"/*.h "$here/build.sh" | sha256sum | cut -c1-16)
stamp="$hash ${torch_dir:-system} $(stat -L -c '%s %Y' "$library")"
if [ -e "$out/libtapestry_torch.so" ] && [ "$(cat "$out/stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi
command -v g++ >/dev/null || fail "no g++: install g++"

flags=(-std=c++17 -O3 -fopenmp-simd -fno-math-errno -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror
    "-DTAPESTRY_SHIM_HASH=\"$hash\"" -isystem "$headers/torch/csrc/api/include")
link=(-Wl,--no-as-needed -ltorch_cpu -ltorch -lc10)
if [ -n "$torch_dir" ]; then
    flags+=(-isystem "$headers")
    link=(-L"$torch_dir/lib" -Wl,-rpath,"$torch_dir/lib" "${link[@]}")
    if [ -e "$torch_dir/lib/libtorch_cuda.so" ]; then
        # Nothing of ours calls it; without it in the link libtorch sees no GPU.
        link+=(-ltorch_cuda -lc10_cuda)
    fi
    # Wheels changed from the old C++ string ABI to the new one; the symbols of the library tell which it is.
    if nm -D --defined-only "$torch_dir/lib/libc10.so" | grep -q '__cxx11'; then
        flags+=(-D_GLIBCXX_USE_CXX11_ABI=1)
    else
        flags+=(-D_GLIBCXX_USE_CXX11_ABI=0)
    fi
else
    dnnl=$(ls "$(dirname "$library")"/libdnnl.so.[0-9] 2>/dev/null | head -1 || true)
    if [ -n "$dnnl" ]; then
        # Our own kernels share libtorch's OpenMP here; beside a wheel they would bring a second one.
        flags+=(-DTAPESTRY_DNNL_BLAS -fopenmp)
        link+=("-l:$(basename "$dnnl")")
    fi
fi

mkdir -p "$out"
echo "building the shim for $library ..." >&2
g++ "${flags[@]}" "$here/all.cpp" -o "$out/libtapestry_torch.so.new" "${link[@]}"
mv "$out/libtapestry_torch.so.new" "$out/libtapestry_torch.so"
echo "$stamp" > "$out/stamp"
