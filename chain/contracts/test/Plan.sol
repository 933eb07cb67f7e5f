// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Settlement} from "../Settlement.sol";
import {vm} from "./Vm.sol";

/// @notice What the batches and the cap should be, as a plain list that knows no packing, no ring and no laziness.
/// The bucket is kept twice: as it is, and as if the pending batch had never been.
contract Plan {
    struct Kept {
        bytes32 root;
        uint256 total;
        uint256 activeAt;
        bool isCancelled;
    }

    Kept[] private batches; // by sequence; 0 is the state before the first
    uint256 private immutable window;
    uint256 private immutable roleDelay;
    uint256 private cap;
    uint256 private raised;
    uint256 private raiseAt; // 0: no raise is waiting
    uint256 private usedTimesWindow;
    uint256 private withoutPending;
    uint256 private asOf;
    uint256 private touches; // the contract may round by one unit each time it writes its bucket
    uint256 public donations;

    constructor(uint256 cap_, uint256 window_, uint256 roleDelay_) {
        (cap, window, roleDelay, asOf) = (cap_, window_, roleDelay_, block.timestamp);
        batches.push(Kept(0, 0, 0, false));
    }

    function committed(bytes32 root, uint256 total, uint256 activeAt_) external {
        withoutPending = usedTimesWindow;
        usedTimesWindow += (total - batches[activeSequence(asOf)].total) * window;
        batches.push(Kept(root, total, activeAt_, false));
        ++touches;
    }

    function cancelled() external {
        batches[batches.length - 1].isCancelled = true;
        usedTimesWindow = withoutPending;
        ++touches;
    }

    function capSet(uint256 cap_, uint256 time) external {
        passed(time);
        raiseAt = 0;
        if (cap_ > cap) (raised, raiseAt) = (cap_, time + roleDelay);
        else cap = cap_;
        ++touches;
    }

    function donated(uint256 amount) external {
        donations += amount;
    }

    function passed(uint256 time) public {
        if (raiseAt != 0 && time >= raiseAt) {
            leak(raiseAt);
            (cap, raiseAt) = (raised, 0);
            ++touches;
        }
        leak(time);
    }

    function activeAt() external view returns (uint256) {
        return batches[batches.length - 1].activeAt;
    }

    function isPending(uint256 time) public view returns (bool) {
        Kept memory last = batches[batches.length - 1];
        return !last.isCancelled && time < last.activeAt;
    }

    /// @notice The last batch that is neither cancelled nor pending.
    function activeSequence(uint256 time) public view returns (uint256) {
        return activeUpTo(batches.length - 1, time);
    }

    function counts(bytes32 root, uint256 time) external view returns (bool) {
        uint256 active = activeSequence(time);
        return active != 0 && (root == batches[active].root || root == previousRoot(active, time));
    }

    function check(Settlement settlement, uint256 time) external view {
        uint256 active = activeSequence(time);
        vm.assertEq(settlement.sequence(), batches.length - 1, "each commit uses a number, a cancelled one too");
        vm.assertEq(settlement.total(), batches[active].total, "total is the active batch's");
        vm.assertTrue(settlement.activeRoot() == batches[active].root, "active root");
        vm.assertTrue(settlement.previousRoot() == previousRoot(active, time), "previous root");
        (uint64 sequence, bytes32 root, uint256 total, uint64 when) = settlement.pending();
        Kept memory waits = isPending(time) ? batches[batches.length - 1] : Kept(0, 0, 0, false);
        vm.assertEq(sequence, isPending(time) ? batches.length - 1 : 0, "pending sequence");
        vm.assertTrue(root == waits.root && total == waits.total && when == waits.activeAt, "pending batch");
        vm.assertEq(settlement.cap(), cap, "cap");
        uint256 used = (usedTimesWindow + window - 1) / window;
        vm.assertApproxEqAbs(settlement.capAvailable(), used < cap ? cap - used : 0, touches + 2, "room under the cap");
    }

    function activeUpTo(uint256 sequence, uint256 time) private view returns (uint256) {
        while (batches[sequence].isCancelled || time < batches[sequence].activeAt) --sequence;
        return sequence;
    }

    function previousRoot(uint256 active, uint256 time) private view returns (bytes32) {
        return active == 0 ? bytes32(0) : batches[activeUpTo(active - 1, time)].root;
    }

    function leak(uint256 until) private {
        uint256 leaked = cap * (until - asOf);
        usedTimesWindow = usedTimesWindow > leaked ? usedTimesWindow - leaked : 0;
        withoutPending = withoutPending > leaked ? withoutPending - leaked : 0;
        asOf = until;
    }
}
