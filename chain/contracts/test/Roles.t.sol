// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {GrowthCap} from "../GrowthCap.sol";
import {Roles} from "../Roles.sol";
import {Settlement} from "../Settlement.sol";
import {SettlementTest} from "./SettlementTest.sol";
import {vm} from "./Vm.sol";

/// @notice Who may do what and when: roles, pause, cap changes, retirement, the constructor's bounds.
contract SettlementRolesTest is SettlementTest {
    function test_the_constructor_sets_what_the_views_answer() public {
        settlement = deploy(IERC20(token), FUNDER, ACTIVATION);
        vm.assertEq(address(settlement.token()), address(token));
        vm.assertEq(settlement.owner(), OWNER);
        vm.assertEq(settlement.operator(), OPERATOR);
        vm.assertEq(settlement.guardian(), GUARDIAN);
        vm.assertEq(settlement.funder(), FUNDER);
        vm.assertEq(settlement.cap(), CAP);
        vm.assertEq(settlement.capAvailable(), CAP);
        vm.assertEq(settlement.capWindow(), WINDOW);
        vm.assertEq(settlement.activationDelay(), ACTIVATION);
        vm.assertEq(settlement.roleDelay(), ROLE);
        vm.assertEq(settlement.pauseDuration(), PAUSE);
        vm.assertEq(settlement.pausedUntil(), 0);
    }

    function test_the_constructor_refuses_what_cannot_work() public {
        IERC20 t = IERC20(token);
        bytes4 bad = Roles.BadConfig.selector;
        vm.expectRevert(bad);
        new Settlement(IERC20(STRANGER), OWNER, OPERATOR, GUARDIAN, FUNDER, CAP, WINDOW, ACTIVATION, ROLE, PAUSE);
        vm.expectRevert(bad); // a contract, but no token
        new Settlement(IERC20(address(this)), OWNER, OPERATOR, GUARDIAN, FUNDER, CAP, WINDOW, ACTIVATION, ROLE, PAUSE);
        vm.expectRevert(bad); // it answers, but is no contract
        new Settlement(IERC20(address(2)), OWNER, OPERATOR, GUARDIAN, FUNDER, CAP, WINDOW, ACTIVATION, ROLE, PAUSE);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new Settlement(t, address(0), OPERATOR, GUARDIAN, FUNDER, CAP, WINDOW, ACTIVATION, ROLE, PAUSE);
        vm.expectRevert(bad);
        new Settlement(t, OWNER, OPERATOR, address(0), FUNDER, CAP, WINDOW, ACTIVATION, ROLE, PAUSE);
        vm.expectRevert(bad);
        new Settlement(t, OWNER, OPERATOR, GUARDIAN, FUNDER, 0, WINDOW, ACTIVATION, ROLE, PAUSE);
        vm.expectRevert(bad);
        new Settlement(t, OWNER, OPERATOR, GUARDIAN, FUNDER, 1 << 128, WINDOW, ACTIVATION, ROLE, PAUSE);
        vm.expectRevert(bad);
        new Settlement(t, OWNER, OPERATOR, GUARDIAN, FUNDER, CAP, 0, ACTIVATION, ROLE, PAUSE);
        vm.expectRevert(bad);
        new Settlement(t, OWNER, OPERATOR, GUARDIAN, FUNDER, CAP, WINDOW, 7 days + 1, ROLE, PAUSE);
        vm.expectRevert(bad);
        new Settlement(t, OWNER, OPERATOR, GUARDIAN, FUNDER, CAP, WINDOW, ACTIVATION, 30 days + 1, PAUSE);
        vm.expectRevert(bad);
        new Settlement(t, OWNER, OPERATOR, GUARDIAN, FUNDER, CAP, WINDOW, ACTIVATION, ROLE, 14 days + 1);
        new Settlement(t, OWNER, address(0), GUARDIAN, address(0), 1, 1, 7 days, 30 days, 14 days);
    }

    function test_pause_stops_commits_until_its_end() public {
        vm.expectEmit();
        emit Settlement.PausedUntil(time + PAUSE);
        guardianPauses();
        vm.assertEq(settlement.pausedUntil(), time + PAUSE);
        pass(PAUSE - 1);
        commitFails("one", 10, abi.encodeWithSelector(Settlement.IsPaused.selector));
        pass(1);
        commit("one", 10);
    }

    function test_no_second_pause_before_as_long_has_passed() public {
        guardianPauses();
        pass(2 * uint256(PAUSE) - 1);
        vm.prank(GUARDIAN);
        vm.expectRevert(Roles.TooEarly.selector);
        settlement.pause();
        pass(1);
        guardianPauses();
    }

    function test_unpause_ends_a_pause_and_starts_the_wait() public {
        guardianPauses();
        pass(1 hours);
        vm.prank(OWNER);
        settlement.unpause();
        commit("one", 10);
        pass(PAUSE - 1);
        vm.prank(OWNER);
        settlement.unpause(); // nothing to end: the wait goes on
        vm.prank(GUARDIAN);
        vm.expectRevert(Roles.TooEarly.selector);
        settlement.pause();
        pass(1);
        guardianPauses();
    }

    function test_only_the_guardian_pauses_and_only_the_owner_unpauses() public {
        vm.prank(OWNER);
        vm.expectRevert(Roles.NotGuardian.selector);
        settlement.pause();
        vm.prank(GUARDIAN);
        vm.expectRevert(notOwner(GUARDIAN));
        settlement.unpause();
    }

    function test_guardian_and_owner_revoke_the_operator_at_once() public {
        vm.prank(STRANGER);
        vm.expectRevert(Roles.NotGuardian.selector);
        settlement.revokeOperator();
        vm.prank(GUARDIAN);
        vm.expectEmit();
        emit Roles.RoleChanged("operator", address(0));
        settlement.revokeOperator();
        vm.assertEq(settlement.operator(), address(0));
        commitFails("one", 10, abi.encodeWithSelector(Roles.NotOperator.selector));
        vm.prank(OWNER);
        settlement.revokeOperator();
    }

    function test_a_proposed_operator_takes_over_after_the_delay_even_when_the_old_one_was_revoked() public {
        vm.prank(OWNER);
        vm.expectEmit();
        emit Roles.RoleProposed("operator", STRANGER, time + ROLE);
        settlement.proposeOperator(STRANGER);
        (address who, uint64 acceptableAt) = settlement.proposedOperator();
        vm.assertEq(who, STRANGER);
        vm.assertEq(acceptableAt, time + ROLE);
        vm.prank(GUARDIAN);
        settlement.revokeOperator();
        pass(ROLE - 1);
        vm.prank(STRANGER);
        vm.expectRevert(Roles.TooEarly.selector);
        settlement.acceptOperator();
        pass(1);
        vm.prank(OPERATOR);
        vm.expectRevert(Roles.NotOperator.selector);
        settlement.acceptOperator();
        vm.prank(STRANGER);
        settlement.acceptOperator();
        vm.assertEq(settlement.operator(), STRANGER);
        vm.prank(STRANGER);
        vm.expectRevert(Roles.NotOperator.selector);
        settlement.acceptOperator();
    }

    function test_a_new_proposal_replaces_the_old_and_restarts_the_clock() public {
        vm.prank(OWNER);
        settlement.proposeGuardian(OPERATOR);
        pass(ROLE - 1);
        vm.prank(OWNER);
        settlement.proposeGuardian(STRANGER);
        pass(1);
        vm.prank(OPERATOR);
        vm.expectRevert(Roles.NotGuardian.selector);
        settlement.acceptGuardian();
        vm.prank(STRANGER);
        vm.expectRevert(Roles.TooEarly.selector);
        settlement.acceptGuardian();
        pass(ROLE - 1);
        vm.prank(STRANGER);
        settlement.acceptGuardian();
        vm.assertEq(settlement.guardian(), STRANGER);
    }

    function test_only_the_owner_changes_roles_cap_and_life() public {
        bytes memory refusal = notOwner(GUARDIAN);
        vm.prank(GUARDIAN);
        vm.expectRevert(refusal);
        settlement.proposeOperator(GUARDIAN);
        vm.prank(GUARDIAN);
        vm.expectRevert(refusal);
        settlement.proposeGuardian(GUARDIAN);
        vm.prank(GUARDIAN);
        vm.expectRevert(refusal);
        settlement.setCap(1);
        vm.prank(GUARDIAN);
        vm.expectRevert(refusal);
        settlement.retire(GUARDIAN);
    }

    function test_ownership_moves_in_two_steps_and_is_never_renounced() public {
        vm.prank(OWNER);
        vm.expectRevert(Roles.BadConfig.selector);
        settlement.renounceOwnership();
        vm.prank(OWNER);
        settlement.transferOwnership(STRANGER);
        vm.assertEq(settlement.owner(), OWNER);
        vm.prank(STRANGER);
        settlement.acceptOwnership();
        vm.assertEq(settlement.owner(), STRANGER);
    }

    function test_a_lower_cap_counts_at_once() public {
        commit("one", CAP / 2);
        pass(ACTIVATION);
        setCap(CAP / 4);
        vm.assertEq(settlement.cap(), CAP / 4);
        vm.assertEq(settlement.capAvailable(), 0);
        commitFails("two", CAP / 2 + 1, abi.encodeWithSelector(GrowthCap.OverCap.selector, 0));
        pass(3 * WINDOW);
        vm.assertEq(settlement.capAvailable(), CAP / 4);
    }

    function test_a_higher_cap_counts_after_the_delay() public {
        vm.prank(OWNER);
        vm.expectEmit();
        emit GrowthCap.CapChanged(2 * CAP, time + ROLE);
        settlement.setCap(2 * CAP);
        pass(ROLE - 1);
        vm.assertEq(settlement.cap(), CAP);
        commitFails("one", CAP + 1, abi.encodeWithSelector(GrowthCap.OverCap.selector, CAP));
        pass(1);
        vm.assertEq(settlement.cap(), 2 * CAP);
        commit("one", 2 * CAP);
        vm.assertEq(settlement.cap(), 2 * CAP);
        vm.assertEq(settlement.capAvailable(), 0);
        pass(WINDOW / 2);
        vm.assertEq(settlement.capAvailable(), CAP);
    }

    function test_a_waiting_raise_survives_a_commit_and_each_cap_leaks_in_its_own_time() public {
        pass(WINDOW);
        setCap(4 * CAP);
        pass(ROLE - WINDOW / 2);
        commit("one", CAP);
        vm.assertEq(settlement.cap(), CAP);
        pass(WINDOW / 2 + WINDOW / 16); // half a window at CAP, a sixteenth at four times as much
        vm.assertEq(settlement.cap(), 4 * CAP);
        vm.assertEq(settlement.capAvailable(), 3 * CAP + CAP / 2 + CAP / 4);
    }

    function test_a_lower_cap_drops_a_waiting_raise() public {
        setCap(2 * CAP);
        setCap(CAP - 1);
        pass(ROLE);
        vm.assertEq(settlement.cap(), CAP - 1);
    }

    function test_a_cap_of_zero_or_beyond_128_bits_is_refused() public {
        vm.prank(OWNER);
        vm.expectRevert(Roles.BadConfig.selector);
        settlement.setCap(0);
        vm.prank(OWNER);
        vm.expectRevert(Roles.BadConfig.selector);
        settlement.setCap(1 << 128);
    }

    function test_a_retired_contract_pays_but_commits_no_more() public {
        Rewards memory rewards = rewardsOf(3, 1e18);
        vm.prank(OWNER);
        vm.expectEmit();
        emit Roles.Retired(STRANGER, time + ROLE);
        settlement.retire(STRANGER);
        pass(ROLE - 1);
        commit(rootOf(rewards), 6e18);
        pass(ACTIVATION);
        vm.assertEq(settlement.operator(), address(0));
        commitFails("two", 7e18, abi.encodeWithSelector(Roles.NotOperator.selector));
        claim(rewards, 0);
        distributeAll(rewards);
    }

    function test_retirement_is_final_and_nobody_becomes_operator_after_it() public {
        vm.prank(OWNER);
        settlement.proposeOperator(STRANGER);
        vm.prank(OWNER);
        settlement.retire(STRANGER);
        pass(ROLE - 1);
        vm.prank(OWNER);
        settlement.retire(FUNDER); // another successor, and the clock again
        pass(ROLE - 1);
        vm.assertEq(settlement.operator(), OPERATOR);
        pass(1);
        vm.prank(STRANGER);
        vm.expectRevert(Roles.IsRetired.selector);
        settlement.acceptOperator();
        vm.prank(OWNER);
        vm.expectRevert(Roles.IsRetired.selector);
        settlement.retire(STRANGER);
    }

    function guardianPauses() private {
        vm.prank(GUARDIAN);
        settlement.pause();
    }

    function setCap(uint256 cap) private {
        vm.prank(OWNER);
        settlement.setCap(cap);
    }

    function notOwner(address who) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, who);
    }
}
