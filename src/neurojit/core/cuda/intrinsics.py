"""Loads and stores of four numbers at once: Numba makes four instructions of them where the hardware has one."""

from llvmlite import ir
from numba.cuda import cgutils
from numba.cuda.extending import intrinsic
from numba.cuda.types import UniTuple, intp, void


def _vector_pointer(context, builder, array_type, array, index_type, index):
    """The address of array[index] as that of a vector of four."""
    item = context.get_data_type(array_type.dtype)
    vector = ir.VectorType(item, 4)
    data = context.make_array(array_type)(context, builder, array).data
    place = builder.gep(data, [context.cast(builder, index, index_type, intp)])
    return vector, builder.bitcast(place, vector.as_pointer())


def _lane(k):
    return ir.Constant(ir.IntType(32), k)


@intrinsic
def load4(typing_context, array, index):
    """array[index : index + 4] as a tuple; the index counts elements of the array in memory and is a multiple of 4."""

    def generate(context, builder, signature, arguments):
        _, pointer = _vector_pointer(context, builder, *_first_two(signature, arguments))
        loaded = builder.load(pointer)
        loaded.align = 16
        return cgutils.pack_array(builder, [builder.extract_element(loaded, _lane(k)) for k in range(4)])

    return UniTuple(array.dtype, 4)(array, index), generate


@intrinsic
def store4(typing_context, array, index, values):
    """array[index : index + 4] = values, a tuple of four; the index is a multiple of 4."""

    def generate(context, builder, signature, arguments):
        vector, pointer = _vector_pointer(context, builder, *_first_two(signature, arguments))
        stored = ir.Constant(vector, ir.Undefined)
        for k in range(4):
            stored = builder.insert_element(stored, builder.extract_value(arguments[2], k), _lane(k))
        builder.store(stored, pointer).align = 16
        return context.get_dummy_value()

    return void(array, index, values), generate


def _first_two(signature, arguments):
    """Array and index, each as type and value."""
    return signature.args[0], arguments[0], signature.args[1], arguments[1]
