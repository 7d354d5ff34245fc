"""What Numba has no words for, as LLVM instructions.

Of a load of four numbers at once Numba makes four, and of a division one of 64 bits, with a test for zero.
"""

from llvmlite import ir
from numba.cuda.cudadrv import devices

try:
    from numba.cuda import cgutils, types
    from numba.cuda.extending import intrinsic
except ImportError:  # numba's own CUDA, without numba-cuda
    from numba.core import cgutils, types
    from numba.extending import intrinsic


def _vector_pointer(context, builder, array_type, array, index_type, index):
    """The address of array[index] as that of a vector of four."""
    item = context.get_data_type(array_type.dtype)
    vector = ir.VectorType(item, 4)
    data = context.make_array(array_type)(context, builder, array).data
    place = builder.gep(data, [context.cast(builder, index, index_type, types.intp)])
    return vector, builder.bitcast(place, vector.as_pointer())


def _assembly(builder, text, constraints, *values):
    """An instruction that changes memory and gives nothing."""
    kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
    builder.call(ir.InlineAsm(kind, text, f"{constraints},~{{memory}}", side_effect=True), values)


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

    return types.UniTuple(array.dtype, 4)(array, index), generate


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

    return types.void(array, index, values), generate


@intrinsic
def add4(typing_context, array, index, values):
    """array[index : index + 4] += values, atomically number by number; the index is a multiple of 4.

    One instruction for four float32 from compute capability 9.0 on, four before and for float64.
    """

    def generate(context, builder, signature, arguments):
        _vector, pointer = _vector_pointer(context, builder, *_first_two(signature, arguments))
        address = builder.ptrtoint(pointer, ir.IntType(64))
        numbers = [builder.extract_value(arguments[2], k) for k in range(4)]
        if array.dtype == types.float32 and devices.get_context().device.compute_capability >= (9, 0):
            _assembly(builder, "red.global.add.v4.f32 [$0], {$1, $2, $3, $4};", "l,f,f,f,f", address, *numbers)
            return context.get_dummy_value()
        name, register = ("f32", "f") if array.dtype == types.float32 else ("f64", "d")
        for k, number in enumerate(numbers):
            place = builder.add(address, ir.Constant(address.type, k * array.dtype.bitwidth // 8))
            _assembly(builder, f"red.global.add.{name} [$0], $1;", f"l,{register}", place, number)
        return context.get_dummy_value()

    return types.void(array, index, values), generate


def _first_two(signature, arguments):
    """Array and index, each as type and value."""
    return signature.args[0], arguments[0], signature.args[1], arguments[1]


@intrinsic
def quotient(typing_context, a, b):
    """a // b for integers 0 <= a < 2**31 and 0 < b < 2**31, in 32 bits."""
    if not (isinstance(a, types.Integer) and isinstance(b, types.Integer)):
        return None

    def generate(context, builder, signature, arguments):
        narrow = [context.cast(builder, v, t, types.int32) for v, t in zip(arguments, signature.args, strict=True)]
        return builder.zext(builder.udiv(*narrow), ir.IntType(64))

    return types.intp(a, b), generate
