#include "textflag.h"

// The tile of both kernels: row i in the registers V(8+4i) to V(11+4i).

#define ZERO4(a, b, c, d) \
	VEOR a.B16, a.B16, a.B16 \
	VEOR b.B16, b.B16, b.B16 \
	VEOR c.B16, c.B16, c.B16 \
	VEOR d.B16, d.B16, d.B16

#define ZERO \
	ZERO4(V8, V9, V10, V11)   \
	ZERO4(V12, V13, V14, V15) \
	ZERO4(V16, V17, V18, V19) \
	ZERO4(V20, V21, V22, V23) \
	ZERO4(V24, V25, V26, V27) \
	ZERO4(V28, V29, V30, V31)

// ROW multiplies the value in all lanes of x with the sixteen in V0 to V3.
#define ROW(x, a, b, c, d) \
	VFMLA V0.S4, x.S4, a.S4 \
	VFMLA V1.S4, x.S4, b.S4 \
	VFMLA V2.S4, x.S4, c.S4 \
	VFMLA V3.S4, x.S4, d.S4

#define STORE(p, a, b, c, d) \
	VST1 [a.S4, b.S4, c.S4, d.S4], (p)

// ADDSTORE needs ones in V4.
#define ADDSTORE(p, a, b, c, d) \
	VLD1 (p), [V0.S4, V1.S4, V2.S4, V3.S4] \
	ROW(V4, a, b, c, d)                    \
	STORE(p, a, b, c, d)

// func gemmNEON(t *gemmTile)
TEXT ·gemmNEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	MOVD 0(R0), R1           // a, of the block
	MOVD 8(R0), R2           // b
	MOVD 32(R0), R3          // lda
	MOVD 40(R0), R4          // ldb
	MOVD 72(R0), R5          // n
	ZERO
block:
	MOVD R1, R6              // a, of the row
	MOVD R2, R7              // b
	MOVD 48(R0), R8          // rows
line:
	MOVD R6, R9
	MOVD R7, R10
	MOVD 24(R0), R11         // k
step:
	ADD  $16, R9, R12
	VLD1 (R10), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1 (R9), [V4.S4]
	VLD1 (R12), [V5.S2]
	ADD  R3, R9
	ADD  R4, R10
	VDUP V4.S[0], V6.S4
	VDUP V4.S[1], V7.S4
	ROW(V6, V8, V9, V10, V11)
	ROW(V7, V12, V13, V14, V15)
	VDUP V4.S[2], V6.S4
	VDUP V4.S[3], V7.S4
	ROW(V6, V16, V17, V18, V19)
	ROW(V7, V20, V21, V22, V23)
	VDUP V5.S[0], V6.S4
	VDUP V5.S[1], V7.S4
	ROW(V6, V24, V25, V26, V27)
	ROW(V7, V28, V29, V30, V31)
	SUB  $1, R11
	CBNZ R11, step
	MOVD 56(R0), R12
	MOVD 64(R0), R13
	ADD  R12, R6
	ADD  R13, R7
	SUB  $1, R8
	CBNZ R8, line
	MOVD 80(R0), R12
	MOVD 88(R0), R13
	ADD  R12, R1
	ADD  R13, R2
	SUB  $1, R5
	CBNZ R5, block

	MOVD 16(R0), R1          // c
	MOVD 96(R0), R3          // ldc
	ADD  R3, R1, R2
	ADD  R3, R2, R4
	ADD  R3, R4, R5
	ADD  R3, R5, R6
	ADD  R3, R6, R7
	MOVD 104(R0), R8
	CBNZ R8, add
	STORE(R1, V8, V9, V10, V11)
	STORE(R2, V12, V13, V14, V15)
	STORE(R4, V16, V17, V18, V19)
	STORE(R5, V20, V21, V22, V23)
	STORE(R6, V24, V25, V26, V27)
	STORE(R7, V28, V29, V30, V31)
	RET
add:
	FMOVS $1.0, F4
	VDUP  V4.S[0], V4.S4
	ADDSTORE(R1, V8, V9, V10, V11)
	ADDSTORE(R2, V12, V13, V14, V15)
	ADDSTORE(R4, V16, V17, V18, V19)
	ADDSTORE(R5, V20, V21, V22, V23)
	ADDSTORE(R6, V24, V25, V26, V27)
	ADDSTORE(R7, V28, V29, V30, V31)
	RET

// func convNEON(t *convTile)
TEXT ·convNEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	MOVD 0(R0), R1           // a
	MOVD 8(R0), R2           // b
	MOVD 24(R0), R9          // runs
	MOVD 32(R0), R10         // values of a run
	MOVD 40(R0), R11         // step
	MOVD 56(R0), R3
	MOVD 64(R0), R4
	MOVD 72(R0), R5
	MOVD 80(R0), R6
	MOVD 88(R0), R7
	MOVD 96(R0), R8
	ADD  R1, R3
	ADD  R1, R4
	ADD  R1, R5
	ADD  R1, R6
	ADD  R1, R7
	ADD  R1, R8
	SUB  R10<<2, R11         // from the end of a run to the next
	ZERO
run:
	MOVD R10, R12
value:
	VLD1.P  64(R2), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1R.P 4(R3), [V4.S4]
	VLD1R.P 4(R4), [V5.S4]
	VLD1R.P 4(R5), [V6.S4]
	ROW(V4, V8, V9, V10, V11)
	VLD1R.P 4(R6), [V7.S4]
	ROW(V5, V12, V13, V14, V15)
	VLD1R.P 4(R7), [V4.S4]
	ROW(V6, V16, V17, V18, V19)
	VLD1R.P 4(R8), [V5.S4]
	ROW(V7, V20, V21, V22, V23)
	ROW(V4, V24, V25, V26, V27)
	ROW(V5, V28, V29, V30, V31)
	SUB  $1, R12
	CBNZ R12, value
	ADD  R11, R3
	ADD  R11, R4
	ADD  R11, R5
	ADD  R11, R6
	ADD  R11, R7
	ADD  R11, R8
	SUB  $1, R9
	CBNZ R9, run

	MOVD 16(R0), R1          // c
	MOVD 104(R0), R3
	MOVD 112(R0), R4
	MOVD 120(R0), R5
	MOVD 128(R0), R6
	MOVD 136(R0), R7
	MOVD 144(R0), R8
	ADD  R1, R3
	ADD  R1, R4
	ADD  R1, R5
	ADD  R1, R6
	ADD  R1, R7
	ADD  R1, R8
	MOVD 48(R0), R9
	CBNZ R9, add
	STORE(R3, V8, V9, V10, V11)
	STORE(R4, V12, V13, V14, V15)
	STORE(R5, V16, V17, V18, V19)
	STORE(R6, V20, V21, V22, V23)
	STORE(R7, V24, V25, V26, V27)
	STORE(R8, V28, V29, V30, V31)
	RET
add:
	FMOVS $1.0, F4
	VDUP  V4.S[0], V4.S4
	ADDSTORE(R3, V8, V9, V10, V11)
	ADDSTORE(R4, V12, V13, V14, V15)
	ADDSTORE(R5, V16, V17, V18, V19)
	ADDSTORE(R6, V20, V21, V22, V23)
	ADDSTORE(R7, V24, V25, V26, V27)
	ADDSTORE(R8, V28, V29, V30, V31)
	RET
