"""The machine room: compilation, SIMD, random numbers, shapes, threads. It knows nothing of networks."""
