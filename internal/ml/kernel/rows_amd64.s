#include "textflag.h"

// Passes over n pixels of c channels, eight channels at a time.

// func affineAVX2(y, x, scale, shift *float32, n, c int, floor float32)
TEXT ·affineAVX2(SB), NOSPLIT, $0-52
	MOVQ y+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ scale+16(FP), R8
	MOVQ shift+24(FP), R9
	MOVQ n+32(FP), CX
	MOVQ c+40(FP), DX
	VBROADCASTSS floor+48(FP), Y3
	SHLQ $2, DX
	TESTQ CX, CX
	JZ   done
pixel:
	XORQ BX, BX
channel:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (R9)(BX*1), Y1
	VFMADD231PS (R8)(BX*1), Y0, Y1
	VMAXPS  Y3, Y1, Y1
	VMOVUPS Y1, (DI)(BX*1)
	ADDQ $32, BX
	CMPQ BX, DX
	JLT  channel
	ADDQ DX, SI
	ADDQ DX, DI
	DECQ CX
	JNZ  pixel
done:
	VZEROUPPER
	RET

// func blendAVX2(y, x, scale, z, zscale, shift *float32, n, c int, floor float32)
TEXT ·blendAVX2(SB), NOSPLIT, $0-68
	MOVQ y+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ scale+16(FP), R8
	MOVQ z+24(FP), R10
	MOVQ zscale+32(FP), R11
	MOVQ shift+40(FP), R9
	MOVQ n+48(FP), CX
	MOVQ c+56(FP), DX
	VBROADCASTSS floor+64(FP), Y3
	SHLQ $2, DX
	TESTQ CX, CX
	JZ   done
pixel:
	XORQ BX, BX
channel:
	VMOVUPS (SI)(BX*1), Y0
	VMOVUPS (R10)(BX*1), Y2
	VMOVUPS (R9)(BX*1), Y1
	VFMADD231PS (R8)(BX*1), Y0, Y1
	VFMADD231PS (R11)(BX*1), Y2, Y1
	VMAXPS  Y3, Y1, Y1
	VMOVUPS Y1, (DI)(BX*1)
	ADDQ $32, BX
	CMPQ BX, DX
	JLT  channel
	ADDQ DX, SI
	ADDQ DX, R10
	ADDQ DX, DI
	DECQ CX
	JNZ  pixel
done:
	VZEROUPPER
	RET

// func momentsAVX2(s1, s2, grad, x *float32, n, c int)
TEXT ·momentsAVX2(SB), NOSPLIT, $0-48
	MOVQ s1+0(FP), R8
	MOVQ s2+8(FP), R9
	MOVQ grad+16(FP), R10
	MOVQ x+24(FP), R11
	MOVQ c+40(FP), DX
	SHLQ $2, DX              // bytes of a pixel
	MOVQ DX, BX              // bytes of channels that are left
channel:
	VMOVUPS (R8), Y4
	VMOVUPS (R9), Y5
	VXORPS  Y6, Y6, Y6
	VXORPS  Y7, Y7, Y7
	VXORPS  Y8, Y8, Y8
	VXORPS  Y9, Y9, Y9
	VXORPS  Y10, Y10, Y10
	VXORPS  Y11, Y11, Y11
	MOVQ R10, SI
	MOVQ R11, DI
	MOVQ n+32(FP), CX
	SUBQ $4, CX
	JLT  rest
four:
	VMOVUPS (SI), Y0
	VADDPS  Y0, Y4, Y4
	VFMADD231PS (DI), Y0, Y5
	ADDQ DX, SI
	ADDQ DX, DI
	VMOVUPS (SI), Y1
	VADDPS  Y1, Y6, Y6
	VFMADD231PS (DI), Y1, Y7
	ADDQ DX, SI
	ADDQ DX, DI
	VMOVUPS (SI), Y2
	VADDPS  Y2, Y8, Y8
	VFMADD231PS (DI), Y2, Y9
	ADDQ DX, SI
	ADDQ DX, DI
	VMOVUPS (SI), Y3
	VADDPS  Y3, Y10, Y10
	VFMADD231PS (DI), Y3, Y11
	ADDQ DX, SI
	ADDQ DX, DI
	SUBQ $4, CX
	JGE  four
rest:
	ADDQ $4, CX
	JLE  next
one:
	VMOVUPS (SI), Y0
	VADDPS  Y0, Y4, Y4
	VFMADD231PS (DI), Y0, Y5
	ADDQ DX, SI
	ADDQ DX, DI
	DECQ CX
	JNZ  one
next:
	VADDPS Y6, Y4, Y4
	VADDPS Y10, Y8, Y8
	VADDPS Y8, Y4, Y4
	VADDPS Y7, Y5, Y5
	VADDPS Y11, Y9, Y9
	VADDPS Y9, Y5, Y5
	VMOVUPS Y4, (R8)
	VMOVUPS Y5, (R9)
	ADDQ $32, R8
	ADDQ $32, R9
	ADDQ $32, R10
	ADDQ $32, R11
	SUBQ $32, BX
	JG   channel
	VZEROUPPER
	RET

// func reluGradAVX2(grad, y *float32, n int)
TEXT ·reluGradAVX2(SB), NOSPLIT, $0-24
	MOVQ grad+0(FP), DI
	MOVQ y+8(FP), SI
	MOVQ n+16(FP), CX
	VXORPS Y1, Y1, Y1
	SHRQ $3, CX
	JZ   done
loop:
	VMOVUPS (SI), Y0
	VCMPPS  $14, Y1, Y0, Y0  // greater than 0
	VANDPS  (DI), Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	DECQ CX
	JNZ  loop
done:
	VZEROUPPER
	RET

// func axpyAVX2(y, x *float32, n int, a float32)
TEXT ·axpyAVX2(SB), NOSPLIT, $0-28
	MOVQ y+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS a+24(FP), Y2
	SHRQ $3, CX
	JZ   done
loop:
	VMOVUPS (DI), Y0
	VFMADD231PS (SI), Y2, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	DECQ CX
	JNZ  loop
done:
	VZEROUPPER
	RET
