#include "textflag.h"

// The tile of both kernels: rows in pairs of registers Y4,Y5 ... Y14,Y15.

#define ZERO \
	VXORPS Y4, Y4, Y4    \
	VXORPS Y5, Y5, Y5    \
	VXORPS Y6, Y6, Y6    \
	VXORPS Y7, Y7, Y7    \
	VXORPS Y8, Y8, Y8    \
	VXORPS Y9, Y9, Y9    \
	VXORPS Y10, Y10, Y10 \
	VXORPS Y11, Y11, Y11 \
	VXORPS Y12, Y12, Y12 \
	VXORPS Y13, Y13, Y13 \
	VXORPS Y14, Y14, Y14 \
	VXORPS Y15, Y15, Y15

#define PAIR(u, v, a, b, c, d) \
	VFMADD231PS Y0, u, a \
	VFMADD231PS Y1, u, b \
	VFMADD231PS Y0, v, c \
	VFMADD231PS Y1, v, d

// STEP multiplies the six values at SI with the sixteen at DI.
#define STEP \
	VMOVUPS      (DI), Y0        \
	VMOVUPS      32(DI), Y1      \
	VBROADCASTSS (SI), Y2        \
	VBROADCASTSS 4(SI), Y3       \
	PAIR(Y2, Y3, Y4, Y5, Y6, Y7) \
	VBROADCASTSS 8(SI), Y2       \
	VBROADCASTSS 12(SI), Y3      \
	PAIR(Y2, Y3, Y8, Y9, Y10, Y11) \
	VBROADCASTSS 16(SI), Y2      \
	VBROADCASTSS 20(SI), Y3      \
	PAIR(Y2, Y3, Y12, Y13, Y14, Y15) \
	ADDQ R8, SI                  \
	ADDQ R9, DI

#define STORE(p, a, b) \
	VMOVUPS a, (p)   \
	VMOVUPS b, 32(p)

#define ADDSTORE(p, a, b) \
	VADDPS (p), a, a     \
	VADDPS 32(p), b, b   \
	STORE(p, a, b)

// func gemmAVX2(t *gemmTile)
TEXT ·gemmAVX2(SB), NOSPLIT, $0-8
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
	STEP
	STEP
	STEP
	STEP
	SUBQ $4, CX
	JGE  four
rest:
	ADDQ $4, CX
	JLE  next
one:
	STEP
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

	MOVQ 16(AX), DX          // c
	MOVQ 96(AX), R8          // ldc
	CMPQ 104(AX), $0
	JNE  add
	STORE(DX, Y4, Y5)
	ADDQ R8, DX
	STORE(DX, Y6, Y7)
	ADDQ R8, DX
	STORE(DX, Y8, Y9)
	ADDQ R8, DX
	STORE(DX, Y10, Y11)
	ADDQ R8, DX
	STORE(DX, Y12, Y13)
	ADDQ R8, DX
	STORE(DX, Y14, Y15)
	VZEROUPPER
	RET
add:
	ADDSTORE(DX, Y4, Y5)
	ADDQ R8, DX
	ADDSTORE(DX, Y6, Y7)
	ADDQ R8, DX
	ADDSTORE(DX, Y8, Y9)
	ADDQ R8, DX
	ADDSTORE(DX, Y10, Y11)
	ADDQ R8, DX
	ADDSTORE(DX, Y12, Y13)
	ADDQ R8, DX
	ADDSTORE(DX, Y14, Y15)
	VZEROUPPER
	RET

// func convAVX2(t *convTile)
TEXT ·convAVX2(SB), NOSPLIT, $0-8
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
	XORQ BX, BX
value:
	VMOVUPS      (DI), Y0
	VMOVUPS      32(DI), Y1
	VBROADCASTSS (R8)(BX*4), Y2
	VBROADCASTSS (R9)(BX*4), Y3
	PAIR(Y2, Y3, Y4, Y5, Y6, Y7)
	VBROADCASTSS (R10)(BX*4), Y2
	VBROADCASTSS (R11)(BX*4), Y3
	PAIR(Y2, Y3, Y8, Y9, Y10, Y11)
	VBROADCASTSS (R12)(BX*4), Y2
	VBROADCASTSS (R13)(BX*4), Y3
	PAIR(Y2, Y3, Y12, Y13, Y14, Y15)
	ADDQ $64, DI
	INCQ BX
	CMPQ BX, SI
	JLT  value
	ADDQ DX, R8
	ADDQ DX, R9
	ADDQ DX, R10
	ADDQ DX, R11
	ADDQ DX, R12
	ADDQ DX, R13
	DECQ CX
	JNZ  run

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
	JNE  add
	STORE(R8, Y4, Y5)
	STORE(R9, Y6, Y7)
	STORE(R10, Y8, Y9)
	STORE(R11, Y10, Y11)
	STORE(R12, Y12, Y13)
	STORE(R13, Y14, Y15)
	VZEROUPPER
	RET
add:
	ADDSTORE(R8, Y4, Y5)
	ADDSTORE(R9, Y6, Y7)
	ADDSTORE(R10, Y8, Y9)
	ADDSTORE(R11, Y10, Y11)
	ADDSTORE(R12, Y12, Y13)
	ADDSTORE(R13, Y14, Y15)
	VZEROUPPER
	RET
