/* tests/bench/measure.h - work done on all cores for a while, by the clock and by CPU time. */
#ifndef QUITTANCE_TESTS_BENCH_MEASURE_H
#define QUITTANCE_TESTS_BENCH_MEASURE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/base/clock.h"

#define MEASURE_CORES_MAX 64

/* Of this process, all threads. */
static inline double cpu_seconds(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

struct measure {
    void *(*worker)(void *measure);           /* adds to done until end_ms; a thread a core runs it */
    uint64_t end_ms;
    _Atomic uint64_t done;
    double clock, cpu;                        /* out: done a second on all cores, by the clock and by CPU time */
};

static inline void measure_all_cores(struct measure *m, double seconds)
{
    pthread_t threads[MEASURE_CORES_MAX];
    long online = sysconf(_SC_NPROCESSORS_ONLN), cores = online > MEASURE_CORES_MAX ? MEASURE_CORES_MAX : online;
    uint64_t began_ms = clock_monotonic_ms();
    double cpu = cpu_seconds();

    m->end_ms = began_ms + (uint64_t)(seconds * 1000);
    for (long i = 0; i < cores; i++)
        if (pthread_create(&threads[i], NULL, m->worker, m) != 0)
            exit(1);
    for (long i = 0; i < cores; i++)
        pthread_join(threads[i], NULL);
    m->clock = (double)m->done / ((double)(clock_monotonic_ms() - began_ms) / 1000);
    m->cpu = (double)m->done / (cpu_seconds() - cpu) * (double)cores;
}

#endif
