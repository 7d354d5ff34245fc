"""The number of BLAS threads: one inside, as before outside, for blocks that overlap too."""

from threadpoolctl import threadpool_info

from neurojit.core.blas import one_blas_thread


def counts():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_blocks_that_overlap_restore_the_number():
    before = counts()
    first, second = one_blas_thread(), one_blas_thread()
    with first:
        assert set(counts()) <= {1}
        second.__enter__()
    assert set(counts()) <= {1}, "the second block is still open"
    second.__exit__(None, None, None)
    assert counts() == before
