// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {GrowthCap} from "../GrowthCap.sol";
import {Roles} from "../Roles.sol";
import {Settlement} from "../Settlement.sol";
import {SettlementTest} from "./SettlementTest.sol";
import {vm} from "./Vm.sol";

/// @notice commit, cancel, activation, and the chain of headers.
contract SettlementCommitTest is SettlementTest {
    function test_header_zero_binds_chain_contract_and_token() public view {
        vm.assertEq(settlement.header(0), keccak256(abi.encode(block.chainid, settlement, token)));
        vm.assertEq(settlement.sequence(), 0);
        vm.assertEq(settlement.activeRoot(), 0);
        vm.assertEq(settlement.previousRoot(), 0);
    }

    function test_commit_publishes_a_pending_batch() public {
        bytes32 parent = settlement.header(0);
        bytes32 head = headerOf(parent, 1, "root", 10, time);
        vm.expectEmit();
        emit Settlement.Committed(1, "receipts", "root", "archive", 10, 7, uint64(time) + ACTIVATION, head);
        commit("root", 10);

        vm.assertEq(settlement.header(1), head);
        vm.assertEq(settlement.sequence(), 1);
        vm.assertEq(settlement.total(), 0);
        vm.assertEq(settlement.activeRoot(), 0);
        (uint64 sequence, bytes32 root, uint256 total, uint64 activeAt) = settlement.pending();
        vm.assertEq(sequence, 1);
        vm.assertEq(root, "root");
        vm.assertEq(total, 10);
        vm.assertEq(activeAt, time + ACTIVATION);
    }

    function test_a_batch_is_active_from_its_second_on() public {
        commit("root", 10);
        pass(ACTIVATION - 1);
        vm.assertEq(settlement.activeRoot(), 0);
        vm.assertEq(settlement.total(), 0);
        pass(1);
        vm.assertEq(settlement.activeRoot(), "root");
        vm.assertEq(settlement.total(), 10);
        (uint64 sequence, bytes32 root, uint256 total, uint64 activeAt) = settlement.pending();
        vm.assertTrue(sequence == 0 && root == 0 && total == 0 && activeAt == 0);
    }

    function test_delay_zero_is_active_at_once() public {
        settlement = deploy(IERC20(token), address(0), 0);
        token.mint(address(settlement), 20);
        commit("one", 10);
        vm.assertEq(settlement.activeRoot(), "one");
        commit("two", 20);
        vm.assertEq(settlement.activeRoot(), "two");
        vm.assertEq(settlement.previousRoot(), "one");
        vm.prank(GUARDIAN);
        vm.expectRevert(Settlement.NothingPending.selector);
        settlement.cancel(2);
    }

    function test_only_the_operator_commits() public {
        bytes32 parent = settlement.header(0);
        vm.prank(OWNER);
        vm.expectRevert(Roles.NotOperator.selector);
        settlement.commit(1, parent, "receipts", "root", "archive", 10, 7);
    }

    function test_nothing_commits_while_a_batch_is_pending() public {
        commit("one", 10);
        pass(ACTIVATION - 1);
        commitFails("two", 20, abi.encodeWithSelector(Settlement.StillPending.selector));
        pass(1);
        commit("two", 20);
    }

    function test_the_sequence_is_strict() public {
        bytes32 parent = settlement.header(0);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Settlement.WrongSequence.selector, 1));
        settlement.commit(2, parent, "receipts", "root", "archive", 10, 7);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Settlement.WrongSequence.selector, 1));
        settlement.commit(0, parent, "receipts", "root", "archive", 10, 7);
    }

    function test_the_parent_must_be_the_header_before() public {
        vm.prank(OPERATOR);
        vm.expectRevert(Settlement.WrongParent.selector);
        settlement.commit(1, "another history", "receipts", "root", "archive", 10, 7);
    }

    function test_the_root_is_not_zero() public {
        commitFails(0, 10, abi.encodeWithSelector(Settlement.ZeroRoot.selector));
    }

    function test_the_total_never_falls() public {
        commit("one", 10);
        pass(ACTIVATION);
        commitFails("two", 9, abi.encodeWithSelector(Settlement.TotalFell.selector));
        commit("two", 10);
    }

    function test_growth_stays_within_the_cap() public {
        commitFails("one", CAP + 1, abi.encodeWithSelector(GrowthCap.OverCap.selector, CAP));
        commit("one", CAP);
        vm.assertEq(settlement.capAvailable(), 0);
        pass(WINDOW / 4);
        vm.assertEq(settlement.capAvailable(), CAP / 4);
        commitFails("two", CAP + CAP / 4 + 1, abi.encodeWithSelector(GrowthCap.OverCap.selector, CAP / 4));
        commit("two", CAP + CAP / 4);
        pass(2 * WINDOW);
        vm.assertEq(settlement.capAvailable(), CAP);
    }

    function test_the_total_stays_below_two_to_128() public {
        commit("one", 10);
        pass(ACTIVATION);
        uint256 room = type(uint128).max - 10;
        commitFails("two", 1 << 128, abi.encodeWithSelector(GrowthCap.OverCap.selector, room));
        commitFails("two", type(uint256).max, abi.encodeWithSelector(GrowthCap.OverCap.selector, room));
    }

    function test_an_unfunded_commit_is_refused() public {
        settlement = deploy(IERC20(token), address(0), ACTIVATION);
        token.mint(address(settlement), 9);
        commitFails("one", 10, abi.encodeWithSelector(Settlement.Underfunded.selector, 1));
        token.mint(address(settlement), 1);
        commit("one", 10);
    }

    function test_the_funder_tops_up_what_is_missing() public {
        settlement = deploy(IERC20(token), FUNDER, ACTIVATION);
        token.mint(address(settlement), 4);
        token.mint(FUNDER, 100);
        commitFails("one", 10, abi.encodeWithSelector(Settlement.Underfunded.selector, 6));
        vm.prank(FUNDER);
        token.approve(address(settlement), 100);
        commit("one", 10);
        vm.assertEq(token.balanceOf(address(settlement)), 10);
        vm.assertEq(token.balanceOf(FUNDER), 94);
    }

    function test_cancel_takes_the_batch_back_and_burns_its_number() public {
        commit("one", 10);
        pass(ACTIVATION);
        commit("two", 20);
        bytes32 head = settlement.header(2);
        uint256 room = settlement.capAvailable();
        vm.expectEmit();
        emit Settlement.Cancelled(2);
        cancel(2);

        vm.assertEq(settlement.sequence(), 2);
        vm.assertEq(settlement.total(), 10);
        vm.assertEq(settlement.activeRoot(), "one");
        vm.assertEq(settlement.previousRoot(), 0);
        vm.assertEq(settlement.header(2), keccak256(abi.encode(head, "cancelled")));
        vm.assertEq(settlement.capAvailable(), room + 10);

        bytes32 parent = settlement.header(2);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(Settlement.WrongSequence.selector, 3));
        settlement.commit(2, parent, "receipts", "two", "archive", 20, 7);
        vm.prank(OPERATOR);
        vm.expectRevert(Settlement.WrongParent.selector);
        settlement.commit(3, head, "receipts", "three", "archive", 20, 7);
    }

    function test_a_commit_after_a_cancel_keeps_the_active_root() public {
        commit("one", 10);
        pass(ACTIVATION);
        commit("two", 20);
        cancel(2);
        commit("three", 30);
        vm.assertEq(settlement.activeRoot(), "one");
        vm.assertEq(settlement.total(), 10);
        pass(ACTIVATION);
        vm.assertEq(settlement.activeRoot(), "three");
        vm.assertEq(settlement.previousRoot(), "one");
    }

    function test_a_cancel_carries_out_a_raise_whose_time_came_while_the_batch_was_pending() public {
        vm.prank(OWNER);
        settlement.setCap(2 * CAP);
        pass(ROLE - 1);
        commit("one", CAP / 2);
        pass(1);
        cancel(1);
        vm.assertEq(settlement.cap(), 2 * CAP);
        vm.assertEq(settlement.capAvailable(), 2 * CAP);
    }

    function test_cancel_only_before_the_activation_second() public {
        commit("one", 10);
        pass(ACTIVATION - 1);
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(Settlement.WrongSequence.selector, 1));
        settlement.cancel(2);
        pass(1);
        vm.prank(GUARDIAN);
        vm.expectRevert(Settlement.NothingPending.selector);
        settlement.cancel(1);
    }

    function test_a_batch_is_cancelled_in_its_last_second_and_once() public {
        commit("one", 10);
        pass(ACTIVATION - 1);
        cancel(1);
        vm.prank(GUARDIAN);
        vm.expectRevert(Settlement.NothingPending.selector);
        settlement.cancel(1);
    }

    function test_only_the_guardian_cancels() public {
        commit("one", 10);
        vm.prank(OWNER);
        vm.expectRevert(Roles.NotGuardian.selector);
        settlement.cancel(1);
    }

    function test_a_pending_batch_takes_neither_root_away() public {
        commit("one", 10);
        pass(ACTIVATION);
        commit("two", 20);
        pass(ACTIVATION);
        rootsAre("two", "one");
        commit("three", 30);
        rootsAre("two", "one");
        pass(ACTIVATION - 1);
        rootsAre("two", "one");
        pass(1);
        rootsAre("three", "two");
    }

    function test_after_any_number_of_cancels_both_roots_are_those_before() public {
        commit("one", 10);
        pass(ACTIVATION);
        commit("two", 20);
        pass(ACTIVATION);
        for (uint64 sequence = 3; sequence <= 7; ++sequence) {
            commit("false", 30);
            cancel(sequence);
            rootsAre("two", "one");
            vm.assertEq(settlement.total(), 20);
        }
        commit("eight", 30);
        pass(ACTIVATION);
        rootsAre("eight", "two");
    }

    function rootsAre(bytes32 active, bytes32 previous) private view {
        vm.assertEq(settlement.activeRoot(), active);
        vm.assertEq(settlement.previousRoot(), previous);
    }

    function cancel(uint64 sequence) private {
        vm.prank(GUARDIAN);
        settlement.cancel(sequence);
    }

    function headerOf(bytes32 parent, uint64 sequence, bytes32 root, uint256 total, uint256 when)
        private
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(parent, sequence, bytes32("receipts"), root, bytes32("archive"), total, uint64(7), uint64(when))
        );
    }
}
