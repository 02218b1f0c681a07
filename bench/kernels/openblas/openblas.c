// Multiplies matrices as the benchmark of the kernels asks: for each line
// "m n k times" it prints the seconds of the fastest product. With an argument it
// prints what OpenBLAS it is.
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static float *matrix(long n) {
	float *m = malloc(sizeof(float) * n);
	for (long i = 0; i < n; i++)
		m[i] = i % 7 - 3;
	return m;
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

int main(int argc, char **argv) {
	if (argc > 1) {
		puts(openblas_get_config());
		return 0;
	}
	int m, n, k, times;
	while (scanf("%d %d %d %d", &m, &n, &k, &times) == 4) {
		float *a = matrix((long)m * k), *b = matrix((long)k * n), *c = matrix((long)m * n);
		double best = 1e9;
		while (times-- > 0) {
			double start = now();
			cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, k, b, n, 0, c, n);
			double took = now() - start;
			if (took < best)
				best = took;
		}
		printf("%.9f\n", best);
		fflush(stdout);
		free(a);
		free(b);
		free(c);
	}
	return 0;
}
