// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Settlement} from "../Settlement.sol";
import {BadToken} from "./BadTokens.sol";
import {Plan} from "./Plan.sol";
import {SettlementTest} from "./SettlementTest.sol";
import {Tree} from "./Tree.sol";
import {vm} from "./Vm.sol";

/// @notice Everybody who may touch the contract, each as bad as the role allows; forge calls these in any order
/// with any arguments.  They keep in `Plan` what should be so, by simple means of their own, and compare.
contract Actors is SettlementTest {
    uint256 private constant ACCOUNTS = 6; // the last one is the thief

    BadToken public bad;
    Plan public plan;
    Rewards[] private batches; // by sequence; none for 0
    mapping(address account => uint256) private proven; // the highest leaf that ever counted
    mapping(address account => uint256) private paidSoFar;

    constructor() {
        time = 1_800_000_000;
        vm.warp(time);
        bad = new BadToken();
        settlement = deploy(IERC20(bad), FUNDER, ACTIVATION);
        bad.mint(FUNDER, 1e36);
        vm.prank(FUNDER);
        bad.approve(address(settlement), type(uint256).max);
        plan = new Plan(CAP, WINDOW, ROLE);
        batches.push(rewardsOf(ACCOUNTS, 0));
    }

    /// @dev Some leaves grow, none falls: what an honest operator does.
    function operatorCommits(uint256 seed) external {
        Rewards memory next = lastActive();
        uint256 room = settlement.capAvailable();
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            if ((seed >> i) & 1 == 1) next.claimables[i] += uint256(keccak256(abi.encode(seed, i))) % (room / ACCOUNTS + 1);
        }
        tryCommit(next, totalOf(next));
    }

    /// @dev A stolen key: all that was not collected to the thief, and as much growth as the cap lets through.
    function operatorSteals(uint256 seed) external {
        Rewards memory theft = lastActive();
        uint256 total = settlement.total() + bounded(seed, settlement.capAvailable() + 2); // one too many at times
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            if ((seed >> i) & 1 == 1) theft.claimables[i] = 0;
        }
        theft.claimables[ACCOUNTS - 1] = total - (seed % 3 == 0 ? settlement.totalClaimed() : 0);
        tryCommit(theft, total);
    }

    function guardianCancels(uint64 wrong) external {
        bool isPending = plan.isPending(time);
        uint64 sequence = settlement.sequence() + (wrong % 8 == 0 ? 1 : 0);
        vm.prank(GUARDIAN);
        try settlement.cancel(sequence) {
            vm.assertTrue(isPending && sequence == settlement.sequence(), "cancelled what was pending");
            plan.cancelled();
        } catch {
            vm.assertTrue(!isPending || wrong % 8 == 0, "the guardian may cancel what is pending");
        }
    }

    function guardianPauses() external {
        vm.prank(GUARDIAN);
        try settlement.pause() {} catch {}
    }

    function ownerUnpauses() external {
        vm.prank(OWNER);
        settlement.unpause();
    }

    function ownerSetsCap(uint256 seed) external {
        uint256 cap = 1 + seed % (2 * CAP);
        vm.prank(OWNER);
        settlement.setCap(cap);
        plan.capSet(cap, time);
    }

    /// @dev Revoked, and another time appointed again.
    function ownerAndGuardianChangeTheOperator(bool revokes) external {
        if (revokes) {
            vm.prank(GUARDIAN);
            settlement.revokeOperator();
        } else {
            vm.prank(OWNER);
            settlement.proposeOperator(OPERATOR);
            passSome(ROLE);
            vm.prank(OPERATOR);
            settlement.acceptOperator();
        }
    }

    /// @dev Anyone claims by any batch there ever was, right or with one unit too many.
    function anyoneClaims(uint256 batch, uint256 index, bool lies) external {
        batch = pickBatch(batch);
        index %= ACCOUNTS;
        Rewards memory rewards = batches[batch];
        bytes32[] memory proof = proofOf(rewards, index);
        if (lies) rewards.claimables[index] += 1; // another tree, which may by chance be that of another batch
        address account = rewards.accounts[index];
        uint256 claimable = rewards.claimables[index];
        vm.prank(STRANGER);
        try settlement.claim(account, address(bad), claimable, proof) returns (uint256 amount) {
            vm.assertTrue(plan.counts(rootOf(rewards), time), "a claim needs a root that counts");
            vm.assertEq(amount, claimable - paidSoFar[account], "a claim pays what is due");
            isPaid(account, claimable);
        } catch {
            mayBeRefused(rewards, index);
        }
    }

    /// @dev Anyone distributes to any subset of any batch there ever was.
    function anyoneDistributes(uint256 batch, uint256 subset) external {
        Rewards memory rewards = batches[pickBatch(batch)];
        bool[] memory wanted = new bool[](ACCOUNTS);
        wanted[subset % ACCOUNTS] = true;
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            wanted[i] = wanted[i] || (subset >> i) & 1 == 1;
        }
        Tree.Walked memory walked = Tree.walk(leavesOf(rewards), wanted);
        Rewards memory picked = pick(rewards, wanted);
        vm.prank(STRANGER);
        try settlement.distribute(picked.accounts, picked.claimables, walked.proof, walked.steps) {
            vm.assertTrue(plan.counts(rootOf(rewards), time), "a distribution needs a root that counts");
            for (uint256 i = 0; i < picked.accounts.length; ++i) {
                if (!bad.blocked(picked.accounts[i])) isPaid(picked.accounts[i], picked.claimables[i]);
            }
        } catch {
            uint256 room = settlement.total() - settlement.totalClaimed();
            bool isExcused = !plan.counts(rootOf(rewards), time) || leafSum(picked) > room;
            vm.assertTrue(isExcused, "only a root that does not count or the total refuses a distribution");
        }
    }

    function tokenBlocks(uint256 index, bool isBlocked) external {
        bad.setBlocked(batches[0].accounts[index % ACCOUNTS], isBlocked);
    }

    /// @dev From now on each transfer calls back into a claim that is due.
    function recipientCallsBack(uint256 batch, uint256 index) external {
        Rewards memory rewards = batches[pickBatch(batch)];
        index %= ACCOUNTS;
        bytes32[] memory proof = proofOf(rewards, index);
        bytes memory data =
            abi.encodeCall(settlement.claim, (rewards.accounts[index], address(bad), rewards.claimables[index], proof));
        bad.setHook(address(settlement), data);
        bad.setWay(BadToken.Way.CallsBack, address(0));
    }

    function somebodyDonates(uint96 amount) external {
        bad.mint(address(settlement), amount % 1e15);
        plan.donated(amount % 1e15);
    }

    function timePasses(uint256 seed) external {
        // Often to the seconds around an activation.
        uint256 left = plan.isPending(time) ? plan.activeAt() - time : ACTIVATION;
        passSome(seed % 3 == 0 ? left : seed % 3 == 1 ? left - 1 : seed % (2 * WINDOW));
    }

    /// @dev What must be true after each call of anybody.
    function check() external view {
        uint256 sum;
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            address account = batches[0].accounts[i];
            uint256 claimed = settlement.claimed(account);
            vm.assertTrue(claimed >= paidSoFar[account], "claimed never falls");
            vm.assertEq(claimed, paidSoFar[account], "claimed by nothing but a proof");
            vm.assertLe(claimed, proven[account], "claimed never exceeds a proven leaf");
            vm.assertEq(bad.balanceOf(account), claimed, "nothing is paid twice");
            sum += claimed;
        }
        uint256 held = bad.balanceOf(address(settlement));
        uint256 funded = 1e36 - bad.balanceOf(FUNDER) + plan.donations();
        vm.assertEq(settlement.totalClaimed(), sum, "totalClaimed is the sum of all claimed");
        vm.assertEq(funded - held, sum, "tokens out are the sum of all claimed");
        vm.assertLe(sum, settlement.total(), "no more is paid than the active total");
        vm.assertLe(settlement.total(), funded, "the active total is funded");
        vm.assertTrue(!bad.hookSucceeded(), "no call back succeeds");
        plan.check(settlement, time);
    }

    function tryCommit(Rewards memory rewards, uint256 total) private {
        if (total < settlement.total()) total = settlement.total(); // after a theft the honest leaves are too few
        bool may = settlement.operator() == OPERATOR && time >= settlement.pausedUntil() && !plan.isPending(time);
        uint256 room = settlement.capAvailable();
        uint256 growth = total - settlement.total();
        uint64 last = settlement.sequence();
        bytes32 parent = settlement.header(last);
        bytes32 root = rootOf(rewards);
        vm.prank(OPERATOR);
        try settlement.commit(last + 1, parent, "receipts", root, "archive", total, 7) {
            vm.assertTrue(may && growth <= room, "a commit needs its right, its time and its room");
            plan.committed(root, total, time + ACTIVATION);
            batches.push(rewards);
        } catch {
            vm.assertTrue(!may || growth > room, "a good commit goes through");
        }
    }

    /// @dev Faults that excuse a refusal; anything else must have been paid.
    function mayBeRefused(Rewards memory rewards, uint256 index) private view {
        address account = rewards.accounts[index];
        uint256 claimable = rewards.claimables[index];
        bool isDue = plan.counts(rootOf(rewards), time) && claimable > paidSoFar[account];
        if (!isDue || bad.blocked(account)) return;
        uint256 room = settlement.total() - settlement.totalClaimed();
        vm.assertTrue(claimable - paidSoFar[account] > room, "what is due and within the total is paid");
    }

    function isPaid(address account, uint256 claimable) private {
        if (claimable > paidSoFar[account]) paidSoFar[account] = claimable;
    }

    /// @dev What the picked leaves would still take.
    function leafSum(Rewards memory picked) private view returns (uint256 sum) {
        for (uint256 i = 0; i < picked.accounts.length; ++i) {
            uint256 before = paidSoFar[picked.accounts[i]];
            if (picked.claimables[i] > before) sum += picked.claimables[i] - before;
        }
    }

    function lastActive() private view returns (Rewards memory) {
        return batches[plan.activeSequence(time)];
    }

    /// @dev Mostly one of the last three; the others are old, cancelled or both.
    function pickBatch(uint256 seed) private view returns (uint256) {
        uint256 count = batches.length;
        return seed % 4 == 0 || count < 3 ? (seed / 4) % count : count - 1 - (seed / 4) % 3;
    }

    function passSome(uint256 duration) private {
        pass(duration);
        plan.passed(time);
        Rewards memory active = lastActive();
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            address account = active.accounts[i];
            if (active.claimables[i] > proven[account]) proven[account] = active.claimables[i];
        }
    }

    function bounded(uint256 seed, uint256 bound) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed))) % bound;
    }
}
