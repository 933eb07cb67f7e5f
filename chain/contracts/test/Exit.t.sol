// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Batches} from "../Batches.sol";
import {Roles} from "../Roles.sol";
import {Settlement} from "../Settlement.sol";
import {SettlementTest} from "./SettlementTest.sol";
import {vm} from "./Vm.sol";

/// @notice Claims go on for ever, whoever is gone, gone bad or asleep; all calls here are a stranger's.
contract SettlementExitTest is SettlementTest {
    uint256 private constant A_CENTURY = 36_525 days;

    Rewards private earned;

    function setUp() public override {
        super.setUp();
        earned = rewardsOf(4, 1e18);
        commitActive(earned);
    }

    function test_claims_go_on_while_commits_are_paused() public {
        vm.prank(GUARDIAN);
        settlement.pause();
        everybodyIsPaid(earned);
    }

    function test_claims_go_on_when_the_operator_is_gone() public {
        vm.prank(GUARDIAN);
        settlement.revokeOperator();
        pass(A_CENTURY);
        everybodyIsPaid(earned);
    }

    function test_claims_go_on_when_the_guardian_is_gone() public {
        commit("false", 10e18); // nobody cancels
        pass(ACTIVATION - 1);
        everybodyIsPaid(earned);
    }

    function test_claims_go_on_when_every_key_is_lost() public {
        pass(A_CENTURY);
        everybodyIsPaid(earned);
    }

    function test_the_owner_cannot_leave_and_a_lost_owner_stops_neither_commits_nor_claims() public {
        vm.prank(OWNER);
        vm.expectRevert(Roles.BadConfig.selector);
        settlement.renounceOwnership();
        vm.prank(OWNER);
        settlement.transferOwnership(address(0xdead)); // never accepts
        vm.assertEq(settlement.owner(), OWNER);
        pass(A_CENTURY);
        Rewards memory later = rewardsOf(5, 2e18);
        commitActive(later);
        everybodyIsPaid(later);
    }

    function test_claims_go_on_after_retirement() public {
        vm.prank(OWNER);
        settlement.retire(address(0));
        pass(A_CENTURY);
        everybodyIsPaid(earned);
    }

    function test_an_old_proof_is_paid_while_a_new_root_waits() public {
        commit(rootOf(rewardsOf(4, 2e18)), 20e18);
        pass(ACTIVATION - 1);
        everybodyIsPaid(earned);
    }

    function test_the_proof_before_that_is_paid_too_while_a_new_root_waits() public {
        Rewards memory next = rewardsOf(4, 2e18);
        commitActive(next);
        commit("third", 20e18);
        pass(ACTIVATION - 1);
        everybodyIsPaid(earned);
        (uint256 paid,) = distributeAll(next);
        vm.assertEq(paid, 10e18);
    }

    function test_an_old_proof_is_paid_after_a_false_root_was_cancelled() public {
        Rewards memory next = rewardsOf(4, 2e18);
        commitActive(next);
        commit("false", 20e18);
        vm.prank(GUARDIAN);
        settlement.cancel(3);
        everybodyIsPaid(earned);
    }

    function test_claims_go_on_when_the_funder_ran_dry() public {
        settlement = deploy(IERC20(token), FUNDER, ACTIVATION);
        token.mint(FUNDER, 10e18);
        vm.prank(FUNDER);
        token.approve(address(settlement), type(uint256).max);
        commitActive(earned);
        commitFails("more", 11e18, abi.encodeWithSelector(Settlement.Underfunded.selector, 1e18));
        everybodyIsPaid(earned);
    }

    function test_no_role_takes_from_an_account_and_no_role_stops_it() public {
        address[3] memory roles = [OWNER, OPERATOR, GUARDIAN];
        bytes32[] memory proof = proofOf(earned, 0);
        for (uint256 i = 0; i < roles.length; ++i) {
            vm.prank(roles[i]);
            vm.expectRevert(Batches.BadProof.selector);
            settlement.claim(roles[i], address(token), earned.claimables[0], proof);
        }
        everybodyIsPaid(earned);
    }

    function test_a_stolen_owner_key_is_seen_a_role_delay_and_an_activation_delay_ahead() public {
        address thief = STRANGER;
        vm.prank(OWNER);
        settlement.transferOwnership(thief);
        vm.prank(thief);
        settlement.acceptOwnership(); // the ownership itself has no delay
        vm.prank(thief);
        settlement.proposeOperator(thief);
        vm.prank(thief);
        settlement.proposeGuardian(thief);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, OWNER));
        settlement.proposeOperator(OPERATOR);
        pass(ROLE - 1);
        vm.prank(thief);
        vm.expectRevert(Roles.TooEarly.selector);
        settlement.acceptOperator();
        pass(1);
        vm.prank(thief);
        settlement.acceptOperator();
        vm.prank(thief);
        settlement.acceptGuardian();
        bytes32 parent = settlement.header(1);
        vm.prank(thief);
        settlement.commit(2, parent, "", "theft", "", 10e18, 0);
        pass(ACTIVATION - 1);
        everybodyIsPaid(earned);
    }

    /// @dev One by claim, the others by distribute.
    function everybodyIsPaid(Rewards memory rewards) private {
        vm.prank(STRANGER);
        claim(rewards, 0);
        distributeAll(rewards);
        for (uint256 i = 0; i < rewards.accounts.length; ++i) {
            vm.assertEq(token.balanceOf(rewards.accounts[i]), rewards.claimables[i]);
        }
    }
}
