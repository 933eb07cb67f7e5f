// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Batches} from "../Batches.sol";
import {Roles} from "../Roles.sol";
import {Settlement} from "../Settlement.sol";
import {SettlementTest} from "./SettlementTest.sol";
import {Tree} from "./Tree.sol";
import {vm} from "./Vm.sol";

/// @notice What stolen keys and false trees can do, and what bounds them; each test documents one attack.
contract SettlementAttackTest is SettlementTest {
    address private constant THIEF = address(0xBAD);

    function test_a_false_root_takes_what_was_not_collected_and_no_more_than_the_total() public {
        Rewards memory honest = rewardsOf(4, 1e18);
        commitActive(honest);
        claim(honest, 3);
        Rewards memory theft = only(THIEF, 10e18);
        commit(rootOf(theft), 10e18); // no growth: the cap sees nothing
        pass(ACTIVATION);
        // 4e18 are paid, so the leaf of the whole total no longer fits; the thief must ask for what is left.
        claimFails(theft, 0, Settlement.ExceedsTotal.selector);
        Rewards memory rest = only(THIEF, 6e18);
        commit(rootOf(rest), 10e18);
        pass(ACTIVATION);
        vm.assertEq(claim(rest, 0), 6e18);
    }

    function test_in_the_activation_delay_everybody_collects_before_a_false_root_counts() public {
        Rewards memory honest = rewardsOf(4, 1e18);
        commitActive(honest);
        Rewards memory theft = only(THIEF, 10e18);
        commit(rootOf(theft), 10e18);
        vm.prank(GUARDIAN);
        settlement.pause(); // not even a guardian gone bad closes the exit
        pass(ACTIVATION - 1);
        (uint256 paid,) = distributeAll(honest);
        vm.assertEq(paid, 10e18);
        pass(1);
        claimFails(theft, 0, Settlement.ExceedsTotal.selector);
    }

    function test_a_guardian_takes_a_false_root_back_and_the_stolen_operator_key_with_it() public {
        Rewards memory honest = rewardsOf(4, 1e18);
        commitActive(honest);
        Rewards memory theft = only(THIEF, 10e18);
        commit(rootOf(theft), 10e18);
        vm.prank(GUARDIAN);
        settlement.cancel(2);
        vm.prank(GUARDIAN);
        settlement.revokeOperator();
        commitFails(rootOf(theft), 10e18, abi.encodeWithSelector(Roles.NotOperator.selector));
        pass(10 * uint256(WINDOW));
        claimFails(theft, 0, Batches.BadProof.selector);
        (uint256 paid,) = distributeAll(honest);
        vm.assertEq(paid, 10e18);
    }

    function test_a_stolen_guardian_key_stops_commits_until_the_owner_replaced_it_and_takes_nothing() public {
        Rewards memory honest = rewardsOf(4, 1e18);
        commitActive(honest);
        vm.prank(OWNER);
        settlement.proposeGuardian(STRANGER);
        vm.prank(OWNER);
        settlement.proposeOperator(FUNDER);
        vm.prank(GUARDIAN);
        settlement.revokeOperator();
        vm.prank(GUARDIAN);
        settlement.pause();
        distributeAll(honest);
        pass(ROLE);
        vm.prank(STRANGER);
        settlement.acceptGuardian(); // no veto
        vm.prank(FUNDER);
        settlement.acceptOperator();
        vm.prank(OWNER);
        settlement.unpause();
        vm.prank(GUARDIAN);
        vm.expectRevert(Roles.NotGuardian.selector);
        settlement.pause();
        bytes32 parent = settlement.header(1);
        vm.prank(FUNDER);
        settlement.commit(2, parent, "receipts", "root", "archive", 11e18, 7);
    }

    function test_a_stolen_operator_key_pulls_one_cap_from_the_funder_and_only_into_the_contract() public {
        settlement = deploy(IERC20(token), FUNDER, ACTIVATION);
        token.mint(FUNDER, 10 * CAP);
        vm.prank(FUNDER);
        token.approve(address(settlement), type(uint256).max);
        for (uint64 sequence = 1; sequence <= 5; ++sequence) {
            commit("theft", CAP);
            vm.prank(GUARDIAN);
            settlement.cancel(sequence);
        }
        vm.assertEq(token.balanceOf(address(settlement)), CAP); // there for later batches
        vm.assertEq(token.balanceOf(FUNDER), 9 * CAP);
    }

    function test_an_account_with_two_leaves_gets_the_larger_once() public {
        Rewards memory twice = rewardsOf(3, 1e18);
        twice.accounts[1] = twice.accounts[2];
        commitActive(twice);
        (uint256 paid,) = distributeAll(twice);
        vm.assertEq(paid, 4e18);
        claimFails(twice, 1, Settlement.NothingToClaim.selector);
    }

    function test_after_the_larger_leaf_the_smaller_pays_nothing() public {
        Rewards memory twice = rewardsOf(3, 1e18);
        twice.accounts[1] = twice.accounts[2];
        commitActive(twice);
        vm.assertEq(claim(twice, 2), 3e18);
        claimFails(twice, 1, Settlement.NothingToClaim.selector);
    }

    function test_commit_and_cancel_in_turn_neither_gain_nor_burn_room() public {
        for (uint64 sequence = 1; sequence <= 5; ++sequence) {
            commit("root", CAP);
            vm.prank(GUARDIAN);
            settlement.cancel(sequence);
            vm.assertEq(settlement.capAvailable(), CAP);
        }
    }

    function test_a_front_run_claim_only_pays_earlier() public {
        Rewards memory rewards = rewardsOf(4, 1e18);
        commitActive(rewards);
        vm.prank(STRANGER);
        claim(rewards, 2);
        (uint256 paid,) = distributeAll(rewards);
        vm.assertEq(paid, 7e18);
        vm.assertEq(token.balanceOf(rewards.accounts[2]), 3e18);
    }

    function test_donated_tokens_leave_the_books_alone() public {
        commitActive(rewardsOf(2, 1e18));
        token.mint(address(settlement), 5e18);
        vm.assertEq(settlement.total(), 3e18);
        vm.assertEq(settlement.totalClaimed(), 0);
    }

    function test_a_leaf_of_another_token_proves_nothing_here() public {
        bytes32 leaf = Tree.leaf(THIEF, STRANGER, 5e18);
        commit(leaf, 5e18);
        pass(ACTIVATION);
        claimFails(only(THIEF, 5e18), 0, Batches.BadProof.selector);
    }

    function only(address account, uint256 claimable) private pure returns (Rewards memory rewards) {
        rewards = Rewards(new address[](1), new uint256[](1));
        rewards.accounts[0] = account;
        rewards.claimables[0] = claimable;
    }
}
