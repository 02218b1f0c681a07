#include "textflag.h"

// The tile of both kernels with AVX-512: a row in a register, and steps in turn
// to Z4 to Z9 and to Z10 to Z15, as there are too few rows to hide how long a
// multiplication takes.

#define ZERO \
	VPXORD Z4, Z4, Z4    \
	VPXORD Z5, Z5, Z5    \
	VPXORD Z6, Z6, Z6    \
	VPXORD Z7, Z7, Z7    \
	VPXORD Z8, Z8, Z8    \
	VPXORD Z9, Z9, Z9    \
	VPXORD Z10, Z10, Z10 \
	VPXORD Z11, Z11, Z11 \
	VPXORD Z12, Z12, Z12 \
	VPXORD Z13, Z13, Z13 \
	VPXORD Z14, Z14, Z14 \
	VPXORD Z15, Z15, Z15

// JOIN adds the two halves up.
#define JOIN \
	VADDPS Z10, Z4, Z4 \
	VADDPS Z11, Z5, Z5 \
	VADDPS Z12, Z6, Z6 \
	VADDPS Z13, Z7, Z7 \
	VADDPS Z14, Z8, Z8 \
	VADDPS Z15, Z9, Z9

// STEP multiplies the six values at SI with the sixteen at DI.
#define STEP(x, a, b, c, d, e, f) \
	VMOVUPS (DI), x                     \
	VFMADD231PS.BCST (SI), x, a         \
	VFMADD231PS.BCST 4(SI), x, b        \
	VFMADD231PS.BCST 8(SI), x, c        \
	VFMADD231PS.BCST 12(SI), x, d       \
	VFMADD231PS.BCST 16(SI), x, e       \
	VFMADD231PS.BCST 20(SI), x, f       \
	ADDQ R8, SI                         \
	ADDQ R9, DI

#define EVEN STEP(Z0, Z4, Z5, Z6, Z7, Z8, Z9)
#define ODD STEP(Z1, Z10, Z11, Z12, Z13, Z14, Z15)

// func gemmAVX512(t *gemmTile)
TEXT ·gemmAVX512(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), AX
	MOVQ 0(AX), R11          // a, of the block
	MOVQ 8(AX), R12          // b
	MOVQ 32(AX), R8          // lda
	MOVQ 40(AX), R9          // ldb
	MOVQ 72(AX), BX          // n
	ZERO
block:
	MOVQ R11, R13            // a, of the row
	MOVQ R12, R10            // b
	MOVQ 48(AX), DX          // rows
line:
	MOVQ R13, SI
	MOVQ R10, DI
	MOVQ 24(AX), CX          // k
	SUBQ $4, CX
	JLT  rest
four:
	EVEN
	ODD
	EVEN
	ODD
	SUBQ $4, CX
	JGE  four
rest:
	ADDQ $4, CX
	JLE  next
one:
	EVEN
	DECQ CX
	JNZ  one
next:
	ADDQ 56(AX), R13
	ADDQ 64(AX), R10
	DECQ DX
	JNZ  line
	ADDQ 80(AX), R11
	ADDQ 88(AX), R12
	DECQ BX
	JNZ  block

	JOIN
	MOVQ 16(AX), DX          // c
	MOVQ 96(AX), R8          // ldc
	LEAQ (DX)(R8*1), R9
	LEAQ (DX)(R8*2), R10
	LEAQ (R9)(R8*2), R11
	LEAQ (DX)(R8*4), R12
	LEAQ (R9)(R8*4), R13
	CMPQ 104(AX), $0
	JEQ  store
	VADDPS (DX), Z4, Z4
	VADDPS (R9), Z5, Z5
	VADDPS (R10), Z6, Z6
	VADDPS (R11), Z7, Z7
	VADDPS (R12), Z8, Z8
	VADDPS (R13), Z9, Z9
store:
	VMOVUPS Z4, (DX)
	VMOVUPS Z5, (R9)
	VMOVUPS Z6, (R10)
	VMOVUPS Z7, (R11)
	VMOVUPS Z8, (R12)
	VMOVUPS Z9, (R13)
	VZEROUPPER
	RET

// PIXELS multiplies the value at BX of each pixel, and of a later place, with
// sixteen weights.
#define PIXELS(place, x, a, b, c, d, e, f) \
	VFMADD231PS.BCST place(R8)(BX*4), x, a  \
	VFMADD231PS.BCST place(R9)(BX*4), x, b  \
	VFMADD231PS.BCST place(R10)(BX*4), x, c \
	VFMADD231PS.BCST place(R11)(BX*4), x, d \
	VFMADD231PS.BCST place(R12)(BX*4), x, e \
	VFMADD231PS.BCST place(R13)(BX*4), x, f

// func convAVX512(t *convTile)
TEXT ·convAVX512(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), AX
	MOVQ 0(AX), SI           // a
	MOVQ 8(AX), DI           // b
	MOVQ 24(AX), CX          // runs
	MOVQ 40(AX), DX          // step
	MOVQ 56(AX), R8
	MOVQ 64(AX), R9
	MOVQ 72(AX), R10
	MOVQ 80(AX), R11
	MOVQ 88(AX), R12
	MOVQ 96(AX), R13
	ADDQ SI, R8
	ADDQ SI, R9
	ADDQ SI, R10
	ADDQ SI, R11
	ADDQ SI, R12
	ADDQ SI, R13
	ZERO
run:
	MOVQ 32(AX), SI          // values of a run
	DECQ SI
	XORQ BX, BX
	CMPQ BX, SI
	JGE  last
two:
	VMOVUPS (DI), Z0
	PIXELS(0, Z0, Z4, Z5, Z6, Z7, Z8, Z9)
	VMOVUPS 64(DI), Z1
	PIXELS(4, Z1, Z10, Z11, Z12, Z13, Z14, Z15)
	ADDQ $128, DI
	ADDQ $2, BX
	CMPQ BX, SI
	JLT  two
last:
	JNE  next
	VMOVUPS (DI), Z0
	PIXELS(0, Z0, Z4, Z5, Z6, Z7, Z8, Z9)
	ADDQ $64, DI
next:
	ADDQ DX, R8
	ADDQ DX, R9
	ADDQ DX, R10
	ADDQ DX, R11
	ADDQ DX, R12
	ADDQ DX, R13
	DECQ CX
	JNZ  run

	JOIN
	MOVQ 16(AX), SI          // c
	MOVQ 104(AX), R8
	MOVQ 112(AX), R9
	MOVQ 120(AX), R10
	MOVQ 128(AX), R11
	MOVQ 136(AX), R12
	MOVQ 144(AX), R13
	ADDQ SI, R8
	ADDQ SI, R9
	ADDQ SI, R10
	ADDQ SI, R11
	ADDQ SI, R12
	ADDQ SI, R13
	CMPQ 48(AX), $0
	JEQ  store
	VADDPS (R8), Z4, Z4
	VADDPS (R9), Z5, Z5
	VADDPS (R10), Z6, Z6
	VADDPS (R11), Z7, Z7
	VADDPS (R12), Z8, Z8
	VADDPS (R13), Z9, Z9
store:
	VMOVUPS Z4, (R8)
	VMOVUPS Z5, (R9)
	VMOVUPS Z6, (R10)
	VMOVUPS Z7, (R11)
	VMOVUPS Z8, (R12)
	VMOVUPS Z9, (R13)
	VZEROUPPER
	RET
