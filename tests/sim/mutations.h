/* tests/sim/mutations.h - bugs that the simulator must find, each planted by a switch. */
#ifndef QUITTANCE_SIM_MUTATIONS_H
#define QUITTANCE_SIM_MUTATIONS_H
#endif
