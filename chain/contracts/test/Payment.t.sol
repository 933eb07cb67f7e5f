// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batches} from "../Batches.sol";
import {Settlement} from "../Settlement.sol";
import {Walk} from "../Walk.sol";
import {SettlementTest} from "./SettlementTest.sol";
import {Tree} from "./Tree.sol";
import {vm} from "./Vm.sol";

/// @notice distribute and claim with an ordinary token.
contract SettlementPaymentTest is SettlementTest {
    Rewards private batch;

    function setUp() public override {
        super.setUp();
        batch = rewardsOf(5, 1e18);
    }

    function test_distribute_pays_every_leaf_once() public {
        commitActive(batch);
        vm.expectEmit();
        emit Settlement.Distributed(15e18, 0);
        (uint256 paid, uint256 skipped) = distributeAll(batch);
        vm.assertEq(paid, 15e18);
        vm.assertEq(skipped, 0);
        vm.assertEq(settlement.totalClaimed(), 15e18);
        for (uint256 i = 0; i < batch.accounts.length; ++i) {
            vm.assertEq(token.balanceOf(batch.accounts[i]), batch.claimables[i]);
            vm.assertEq(settlement.claimed(batch.accounts[i]), batch.claimables[i]);
        }
        (paid, skipped) = distributeAll(batch);
        vm.assertEq(paid, 0);
        vm.assertEq(token.balanceOf(batch.accounts[4]), 5e18);
    }

    function test_a_later_leaf_pays_the_difference() public {
        commitActive(batch);
        distributeAll(batch);
        Rewards memory next = rewardsOf(6, 3e18);
        commitActive(next);
        (uint256 paid,) = distributeAll(next);
        vm.assertEq(paid, 63e18 - 15e18);
        vm.assertEq(token.balanceOf(next.accounts[1]), 6e18);
    }

    function test_claim_pays_one_leaf_to_its_account() public {
        commitActive(batch);
        vm.expectEmit();
        emit Settlement.Claimed(batch.accounts[4], address(token), 5e18);
        vm.assertEq(claim(batch, 4), 5e18);
        vm.assertEq(token.balanceOf(batch.accounts[4]), 5e18);
        vm.assertEq(settlement.totalClaimed(), 5e18);
        claimFails(batch, 4, Settlement.NothingToClaim.selector);
        (uint256 paid,) = distributeAll(batch);
        vm.assertEq(paid, 10e18);
    }

    function test_claim_refuses_another_token() public {
        commitActive(batch);
        bytes32[] memory proof = proofOf(batch, 0);
        vm.expectRevert(Settlement.WrongToken.selector);
        settlement.claim(batch.accounts[0], STRANGER, batch.claimables[0], proof);
    }

    function test_claim_refuses_an_amount_an_account_or_a_proof_that_is_not_in_the_tree() public {
        commitActive(batch);
        bytes32[] memory proof = proofOf(batch, 0);
        vm.expectRevert(Batches.BadProof.selector);
        settlement.claim(batch.accounts[0], address(token), batch.claimables[0] + 1, proof);
        vm.expectRevert(Batches.BadProof.selector);
        settlement.claim(STRANGER, address(token), batch.claimables[0], proof);
        proof[1] = "another";
        vm.expectRevert(Batches.BadProof.selector);
        settlement.claim(batch.accounts[0], address(token), batch.claimables[0], proof);
    }

    function test_a_pending_root_pays_nothing_until_its_second() public {
        commit(rootOf(batch), 15e18);
        pass(ACTIVATION - 1);
        claimFails(batch, 0, Batches.BadProof.selector);
        Tree.Walked memory walked = Tree.walk(leavesOf(batch), allOf(batch));
        vm.expectRevert(Batches.BadProof.selector);
        settlement.distribute(batch.accounts, batch.claimables, walked.proof, walked.steps);
        pass(1);
        claim(batch, 0);
    }

    function test_the_root_before_counts_until_the_next_activation() public {
        commitActive(batch);
        Rewards memory next = rewardsOf(5, 2e18);
        commitActive(next);
        vm.assertEq(claim(batch, 0), 1e18);
        vm.assertEq(claim(next, 0), 1e18);
        claimFails(batch, 0, Settlement.NothingToClaim.selector);
        commit("third", 31e18);
        pass(ACTIVATION - 1);
        vm.assertEq(claim(batch, 1), 2e18);
        pass(1);
        claimFails(batch, 2, Batches.BadProof.selector);
        vm.assertEq(claim(next, 1), 2e18);
    }

    function test_a_cancelled_root_is_never_accepted() public {
        commitActive(batch);
        Rewards memory false_ = rewardsOf(5, 2e18);
        commit(rootOf(false_), totalOf(false_));
        vm.prank(GUARDIAN);
        settlement.cancel(2);
        pass(WINDOW);
        claimFails(false_, 0, Batches.BadProof.selector);
        commitActive(rewardsOf(5, 3e18));
        claimFails(false_, 0, Batches.BadProof.selector);
        claim(batch, 0);
    }

    function test_nothing_is_proven_before_the_first_batch_is_active() public {
        claimFails(batch, 0, Batches.BadProof.selector);
        // The empty root slots are zero, and a walk of one hash can lead to zero.
        vm.expectRevert(Walk.BadRun.selector);
        settlement.distribute(new address[](0), new uint256[](0), new bytes32[](1), hex"80");
    }

    function test_pause_stops_no_payment() public {
        commitActive(batch);
        vm.prank(GUARDIAN);
        settlement.pause();
        claim(batch, 0);
        distributeAll(batch);
        vm.assertEq(settlement.totalClaimed(), 15e18);
    }

    function test_leaves_beyond_the_total_are_not_paid() public {
        commit(rootOf(batch), 14e18);
        pass(ACTIVATION);
        Tree.Walked memory walked = Tree.walk(leavesOf(batch), allOf(batch));
        vm.expectRevert(Settlement.ExceedsTotal.selector);
        settlement.distribute(batch.accounts, batch.claimables, walked.proof, walked.steps);
        for (uint256 i = 1; i < 5; ++i) {
            claim(batch, i);
        }
        claimFails(batch, 0, Settlement.ExceedsTotal.selector);
    }

    function test_the_pending_total_pays_nothing() public {
        commit(rootOf(batch), 14e18);
        pass(ACTIVATION);
        commit("next", 100e18);
        claim(batch, 4);
        claim(batch, 3);
        claim(batch, 2);
        claim(batch, 1);
        claimFails(batch, 0, Settlement.ExceedsTotal.selector);
    }

    function test_a_walk_that_does_not_fit_its_lists_is_refused() public {
        commitActive(batch);
        bytes memory steps = Tree.walk(leavesOf(batch), allOf(batch)).steps;
        Rewards memory fewer = rewardsOf(4, 1e18);
        Rewards memory more = rewardsOf(6, 1e18);
        bytes32[] memory none = new bytes32[](0);

        refused(batch.accounts, fewer.claimables, none, steps);
        refused(fewer.accounts, fewer.claimables, none, steps); // a leaf too few
        refused(more.accounts, more.claimables, none, steps); // a leaf left over
        refused(batch.accounts, batch.claimables, new bytes32[](1), steps); // a hash left over
        refused(batch.accounts, batch.claimables, none, bytes.concat(steps, hex"80")); // a hash too few
        refused(batch.accounts, batch.claimables, none, hex"0001000000"); // five roots left
        refused(batch.accounts, batch.claimables, none, hex"01"); // a join with nothing below
        refused(batch.accounts, batch.claimables, none, hex"0002"); // a join more than there are nodes
        refused(batch.accounts, batch.claimables, none, hex"7f");
        refused(batch.accounts, batch.claimables, none, "");
        refused(new address[](0), new uint256[](0), none, "");
    }

    function test_a_walk_to_another_root_is_refused() public {
        commitActive(batch);
        Tree.Walked memory walked = Tree.walk(leavesOf(batch), allOf(batch));
        batch.claimables[2] += 1;
        vm.expectRevert(Batches.BadProof.selector);
        settlement.distribute(batch.accounts, batch.claimables, walked.proof, walked.steps);
    }

    function test_an_inner_node_is_no_leaf() public {
        commitActive(batch);
        // What makes an inner node is 64 bytes, a leaf is 96: the two words cannot stand for an account's row.
        bytes32[] memory leaves = leavesOf(batch);
        address account = address(uint160(uint256(leaves[0])));
        bytes32[] memory proof = new bytes32[](0);
        vm.expectRevert(Batches.BadProof.selector);
        settlement.claim(account, address(token), uint256(leaves[1]), proof);
    }

    function refused(address[] memory accounts, uint256[] memory claimables, bytes32[] memory proof, bytes memory steps)
        private
    {
        vm.expectRevert(Walk.BadRun.selector);
        settlement.distribute(accounts, claimables, proof, steps);
    }
}
