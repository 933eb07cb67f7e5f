// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {DevToken} from "../DevToken.sol";
import {Settlement} from "../Settlement.sol";
import {Tree} from "./Tree.sol";
import {vm} from "./Vm.sol";

/// @notice A funded contract at a known time, and rewards trees to commit to it.
abstract contract SettlementTest {
    uint256 internal constant CAP = 1000e18;
    uint64 internal constant WINDOW = 1 days;
    uint64 internal constant ACTIVATION = 1 hours;
    uint64 internal constant ROLE = 2 days;
    uint64 internal constant PAUSE = 3 days;

    address internal constant OWNER = address(0xA001);
    address internal constant OPERATOR = address(0xA002);
    address internal constant GUARDIAN = address(0xA003);
    address internal constant FUNDER = address(0xA004);
    address internal constant STRANGER = address(0xA005);

    /// @notice All rows of one rewards tree.
    struct Rewards {
        address[] accounts;
        uint256[] claimables;
    }

    DevToken internal token;
    Settlement internal settlement;
    /// @dev In storage, as via-IR folds block.timestamp over a warp within one function.
    uint256 internal time;

    function setUp() public virtual {
        time = 1_800_000_000;
        vm.warp(time);
        token = DevToken(create(bytes.concat(shipped("DevToken"), abi.encode("Dev", "DEV", 18))));
        settlement = deploy(IERC20(token), address(0), ACTIVATION);
        token.mint(address(settlement), 1e27);
    }

    function deploy(IERC20 token_, address funder, uint64 activationDelay) internal returns (Settlement) {
        bytes memory settings =
            abi.encode(token_, OWNER, OPERATOR, GUARDIAN, funder, CAP, WINDOW, activationDelay, ROLE, PAUSE);
        return Settlement(create(bytes.concat(settlementCode(), settings)));
    }

    /// @dev The very bytes that ship, not forge's own build of them; but coverage can only follow the latter.
    function settlementCode() internal view returns (bytes memory) {
        if (vm.envOr("FORGE_COVERAGE", false)) return type(Settlement).creationCode;
        return shipped("Settlement");
    }

    function shipped(string memory name) private view returns (bytes memory) {
        return vm.parseJsonBytes(vm.readFile(string.concat("build/contracts/", name, ".json")), ".bytecode");
    }

    function create(bytes memory code) private returns (address deployed) {
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
        }
    }

    function pass(uint256 duration) internal {
        time += duration;
        vm.warp(time);
    }

    function commit(bytes32 root, uint256 total) internal {
        commitTo(settlement, root, total);
    }

    function commitTo(Settlement to, bytes32 root, uint256 total) internal {
        uint64 last = to.sequence();
        bytes32 parent = to.header(last);
        vm.prank(OPERATOR);
        to.commit(last + 1, parent, "receipts", root, "archive", total, 7);
    }

    /// @dev The commit reverts with just this data.
    function commitFails(bytes32 root, uint256 total, bytes memory failure) internal {
        uint64 last = settlement.sequence();
        bytes32 parent = settlement.header(last);
        vm.prank(OPERATOR);
        vm.expectRevert(failure);
        settlement.commit(last + 1, parent, "receipts", root, "archive", total, 7);
    }

    function commitActive(Rewards memory rewards) internal {
        commit(rootOf(rewards), totalOf(rewards));
        pass(ACTIVATION);
    }

    /// @dev n accounts with i + 1 times `unit` each.
    function rewardsOf(uint256 n, uint256 unit) internal pure returns (Rewards memory rewards) {
        rewards = Rewards(new address[](n), new uint256[](n));
        for (uint256 i = 0; i < n; ++i) {
            rewards.accounts[i] = address(uint160(0xB000 + i));
            rewards.claimables[i] = (i + 1) * unit;
        }
    }

    function leavesOf(Rewards memory rewards) internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](rewards.accounts.length);
        address reward = address(settlement.token());
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = Tree.leaf(rewards.accounts[i], reward, rewards.claimables[i]);
        }
    }

    function rootOf(Rewards memory rewards) internal view returns (bytes32) {
        return Tree.root(leavesOf(rewards));
    }

    function totalOf(Rewards memory rewards) internal pure returns (uint256 total) {
        for (uint256 i = 0; i < rewards.claimables.length; ++i) {
            total += rewards.claimables[i];
        }
    }

    function proofOf(Rewards memory rewards, uint256 index) internal view returns (bytes32[] memory) {
        return Tree.proof(leavesOf(rewards), index);
    }

    function claim(Rewards memory rewards, uint256 index) internal returns (uint256) {
        bytes32[] memory proof = proofOf(rewards, index);
        address reward = address(settlement.token());
        return settlement.claim(rewards.accounts[index], reward, rewards.claimables[index], proof);
    }

    function claimFails(Rewards memory rewards, uint256 index, bytes4 failure) internal {
        bytes32[] memory proof = proofOf(rewards, index);
        address reward = address(settlement.token());
        vm.expectRevert(failure);
        settlement.claim(rewards.accounts[index], reward, rewards.claimables[index], proof);
    }

    function distributeAll(Rewards memory rewards) internal returns (uint256 paid, uint256 skipped) {
        Tree.Walked memory walked = Tree.walk(leavesOf(rewards), allOf(rewards));
        return settlement.distribute(rewards.accounts, rewards.claimables, walked.proof, walked.steps);
    }

    function allOf(Rewards memory rewards) internal pure returns (bool[] memory wanted) {
        wanted = new bool[](rewards.accounts.length);
        for (uint256 i = 0; i < wanted.length; ++i) {
            wanted[i] = true;
        }
    }

    /// @dev The wanted rows alone, in order, as `distribute` takes them.
    function pick(Rewards memory rewards, bool[] memory wanted) internal pure returns (Rewards memory picked) {
        uint256 count;
        for (uint256 i = 0; i < wanted.length; ++i) {
            if (wanted[i]) ++count;
        }
        picked = Rewards(new address[](count), new uint256[](count));
        for (uint256 i = wanted.length; i > 0; --i) {
            if (!wanted[i - 1]) continue;
            --count;
            picked.accounts[count] = rewards.accounts[i - 1];
            picked.claimables[count] = rewards.claimables[i - 1];
        }
    }
}
