// Helpers that the compiler calls for 64-bit products and shifts and for division. Debian's libgcc
// has these for another ABI and for a core without the instructions; Espressif's compiler emits
// the instructions itself.

    .text

    .macro function name
    .global \name
    .type \name, @function
    .align 4
\name:
    entry a1, 16
    .endm

// a3:a2 = a3:a2 * a5:a4, the low 64 bits. From 16-bit products: QEMU's cores have no muluh.
    function __muldi3
    extui a6, a2, 16, 16
    extui a7, a4, 16, 16
    mul16u a8, a2, a4 // of the low halves of a2 and a4
    mul16u a9, a2, a7
    mul16u a10, a6, a4
    mul16u a11, a6, a7
    extui a8, a8, 16, 16
    add a9, a9, a8 // no sum here exceeds 32 bits
    extui a8, a9, 0, 16
    add a10, a10, a8
    extui a9, a9, 16, 16
    extui a10, a10, 16, 16
    mull a5, a2, a5
    mull a3, a3, a4
    mull a2, a2, a4
    add a3, a3, a5
    add a3, a3, a9
    add a3, a3, a10
    add a3, a3, a11
    retw

// a3:a2 = a3:a2 >> a4, without a sign; a4 to 63.
    function __lshrdi3
    ssr a4
    bbsi a4, 5, 1f
    src a2, a3, a2
    srl a3, a3
    retw
1:  srl a2, a3
    movi a3, 0
    retw

// The same with a sign.
    function __ashrdi3
    ssr a4
    bbsi a4, 5, 1f
    src a2, a3, a2
    sra a3, a3
    retw
1:  sra a2, a3
    srai a3, a3, 31
    retw

// a3:a2 = a3:a2 << a4; a4 to 63.
    function __ashldi3
    ssl a4
    bbsi a4, 5, 1f
    src a3, a3, a2
    sll a2, a2
    retw
1:  sll a3, a2
    movi a2, 0
    retw

// a2 = a2 / a3 or a2 % a3. Zero raises an exception; midge never divides by it.
    function __divsi3
    quos a2, a2, a3
    retw

    function __udivsi3
    quou a2, a2, a3
    retw

    function __modsi3
    rems a2, a2, a3
    retw

    function __umodsi3
    remu a2, a2, a3
    retw
