"""Sums and maxima over the threads of a warp or a block; each thread gets the result."""

from neurojit.core.cuda import cuda, device_function

ALL = 0xFFFFFFFF


@device_function
def warp_sum(v):
    """The sum of v over the 32 threads of a warp, in each of them the same bits."""
    v += cuda.shfl_xor_sync(ALL, v, 16)
    v += cuda.shfl_xor_sync(ALL, v, 8)
    v += cuda.shfl_xor_sync(ALL, v, 4)
    v += cuda.shfl_xor_sync(ALL, v, 2)
    v += cuda.shfl_xor_sync(ALL, v, 1)
    return v


@device_function
def warp_max(v):
    """The largest v of a warp; a NaN is not seen."""
    v = max(v, cuda.shfl_xor_sync(ALL, v, 16))
    v = max(v, cuda.shfl_xor_sync(ALL, v, 8))
    v = max(v, cuda.shfl_xor_sync(ALL, v, 4))
    v = max(v, cuda.shfl_xor_sync(ALL, v, 2))
    return max(v, cuda.shfl_xor_sync(ALL, v, 1))


@device_function
def block_sum(v, tile):
    """The sum of v over a block of whole warps, with a shared array of 32 numbers to meet in."""
    v = warp_sum(v)
    warp = cuda.threadIdx.x // 32
    if cuda.laneid == 0:
        tile[warp] = v
    cuda.syncthreads()
    s = tile[0]
    for other in range(1, cuda.blockDim.x // 32):
        s += tile[other]
    return s
