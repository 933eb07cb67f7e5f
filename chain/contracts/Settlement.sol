// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Batches} from "./Batches.sol";
import {GrowthCap} from "./GrowthCap.sol";
import {Roles} from "./Roles.sol";
import {Walk} from "./Walk.sol";

/// @title Settlement
/// @notice Pays what committed rewards trees prove.  The operator commits a tree a batch; after activationDelay
/// anyone may have any account of it paid.  A leaf holds all that its account ever earned here and never falls,
/// so the root before the active one stays good for proofs on their way, and nothing is paid twice.
/// The delay is the earners' exit window: neither pause nor any role stops `distribute` and `claim`.
/// Times are in seconds, amounts in base units of one plain ERC-20 (no fee on transfer, no rebasing).
contract Settlement is GrowthCap, Batches, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice The guardian has stopped commits until `pausedUntil`.
    error IsPaused();
    /// @notice The batch before still waits for its activation.
    error StillPending();
    /// @notice There is nothing to cancel: never committed, cancelled already, or active since.
    error NothingPending();
    /// @notice The number is not the one due: for a commit the next, for a cancel the pending one.
    error WrongSequence(uint64 expected);
    /// @notice The operator's history is not the one committed here.
    error WrongParent();
    /// @notice The root of no rewards: such a batch waits for the next one with rewards.
    error ZeroRoot();
    /// @notice `total` is below that of the batch before.
    error TotalFell();
    /// @notice The contract lacks `missing` of what it would owe.
    error Underfunded(uint256 missing);
    /// @notice The account was paid as much already.
    error NothingToClaim();
    /// @notice `reward` is not this contract's token.
    error WrongToken();
    /// @notice The leaves add up to more than the active total.
    error ExceedsTotal();

    /// @notice Batch `sequence` is published, and counts from `activeAt` on unless it is cancelled before.
    /// @param receiptsRoot Root of its receipts tree.
    /// @param rewardsRoot Root of all that was ever earned, its leaves add up to `total`.
    /// @param archive SHA-256 of its archive file.
    /// @param receipts How many receipts it settles.
    /// @param header header(sequence), which binds all of these and the header before.
    event Committed(
        uint64 indexed sequence,
        bytes32 receiptsRoot,
        bytes32 rewardsRoot,
        bytes32 archive,
        uint256 total,
        uint64 receipts,
        uint64 activeAt,
        bytes32 header
    );
    /// @notice Batch `sequence` was taken back while it was pending; its number stays used.
    event Cancelled(uint64 indexed sequence);
    /// @notice Sums of one call; each payment in it is the token's own `Transfer` from this contract.
    event Distributed(uint256 paid, uint256 skipped);
    /// @notice The token refused to pay `account`; `amount` stays due.
    event Skipped(address indexed account, uint256 amount);
    /// @notice `account` was paid `amount` of `reward` by a claim of its own leaf.
    event Claimed(address indexed account, address indexed reward, uint256 amount);
    /// @notice Commits are refused until `time`.
    event PausedUntil(uint256 time);

    /// @notice The one token that is paid.
    IERC20 public immutable token;
    /// @notice Whoever tops up what a commit lacks, by allowance; zero where the contract is funded beforehand.
    address public immutable funder;
    /// @notice Seconds from a commit to its activation: the guardian's time to cancel, the earners' to leave.
    uint64 public immutable activationDelay;
    /// @notice Seconds that a pause lasts, and at least as long is between two.
    uint64 public immutable pauseDuration;

    /// @param token_ A plain ERC-20.
    /// @param owner_ Replaces the other two; a multisig.
    /// @param operator_ Commits; zero until one is proposed and accepts.
    /// @param guardian_ Cancels and pauses.
    /// @param funder_ Tops up by allowance, zero where funds come beforehand.
    /// @param cap_ Most that `total` may grow at once, and in each capWindow after.
    /// @param capWindow_ Seconds in which a used cap comes back.
    /// @param activationDelay_ Seconds from commit to activation, 7 days at most.
    /// @param roleDelay_ Seconds from proposal to acceptance, 30 days at most.
    /// @param pauseDuration_ Seconds, 14 days at most.
    constructor(
        IERC20 token_,
        address owner_,
        address operator_,
        address guardian_,
        address funder_,
        uint256 cap_,
        uint64 capWindow_,
        uint64 activationDelay_,
        uint64 roleDelay_,
        uint64 pauseDuration_
    ) Roles(owner_, operator_, guardian_, roleDelay_) GrowthCap(cap_, capWindow_) {
        if (address(token_).code.length == 0) revert BadConfig();
        // A contract that tells no balance is no token: no commit to it would ever go through.
        // slither-disable-next-line unused-return
        try token_.balanceOf(address(this)) returns (uint256) {}
        catch {
            revert BadConfig();
        }
        if (activationDelay_ > 7 days || pauseDuration_ > 14 days) revert BadConfig();
        token = token_;
        funder = funder_;
        activationDelay = activationDelay_;
        pauseDuration = pauseDuration_;
        header[0] = keccak256(abi.encode(block.chainid, address(this), token_));
    }

    /// @notice Publish batch `sequence_`: its trees, its archive and all that was earned up to it.
    /// @param sequence_ The last number used plus one; a cancelled number stays used.
    /// @param parent header(sequence_ - 1): two stores that disagree about the past cannot both go on.
    /// @param receiptsRoot Root of the receipts tree, zero where the batch has none.
    /// @param rewardsRoot Root of the rewards tree.
    /// @param archive SHA-256 of the archive file.
    /// @param total_ Sum of all leaves of the rewards tree, never less than before.
    /// @param receipts How many receipts the batch settles.
    function commit(
        uint64 sequence_,
        bytes32 parent,
        bytes32 receiptsRoot,
        bytes32 rewardsRoot,
        bytes32 archive,
        uint256 total_,
        uint64 receipts
    ) external nonReentrant {
        Batch memory batch = _batch;
        if (msg.sender != operator()) revert NotOperator();
        if (block.timestamp < batch.pausedUntil) revert IsPaused();
        if (_isPending(batch)) revert StillPending();
        if (sequence_ != batch.sequence + 1) revert WrongSequence(batch.sequence + 1);
        if (parent != header[batch.sequence]) revert WrongParent();
        if (rewardsRoot == 0) revert ZeroRoot();
        if (total_ < batch.total) revert TotalFell();
        if (total_ > type(uint128).max) revert OverCap(type(uint128).max - batch.total);
        _grow(total_ - batch.total);

        Sums memory sums = _sums;
        sums.before = batch.total;
        _sums = sums;
        batch.sequence += 1;
        batch.activeAt = uint40(block.timestamp + activationDelay);
        batch.newest = _next(batch.newest);
        batch.total = uint128(total_);
        _batch = batch;
        _roots[batch.newest] = rewardsRoot;
        bytes32 head = keccak256(
            abi.encode(parent, sequence_, receiptsRoot, rewardsRoot, archive, total_, receipts, uint64(block.timestamp))
        );
        header[sequence_] = head;
        emit Committed(sequence_, receiptsRoot, rewardsRoot, archive, total_, receipts, batch.activeAt, head);

        _fund(total_ - sums.claimed);
    }

    /// @notice Take the pending batch back: as if it had never been, but that its number stays used.
    /// @param sequence_ The pending batch, so that a late cancel never hits the next one.
    function cancel(uint64 sequence_) external nonReentrant {
        Batch memory batch = _batch;
        if (msg.sender != guardian) revert NotGuardian();
        if (!_isPending(batch)) revert NothingPending();
        if (sequence_ != batch.sequence) revert WrongSequence(batch.sequence);

        uint128 before = _sums.before;
        _giveBack(batch.total - before);
        batch.activeAt = 0;
        batch.newest = _before(batch.newest);
        batch.total = before;
        _batch = batch;
        // No proof may lead to this header any more, and the next batch builds on the mark.
        header[sequence_] = keccak256(abi.encode(header[sequence_], "cancelled"));
        emit Cancelled(sequence_);
    }

    /// @notice Pay any set of accounts of one accepted tree; also while paused.
    /// @param accounts The accounts, in the order of the tree's leaves.
    /// @param claimables What the leaf of each says.
    /// @param proof Hashes of the subtrees that hold none of them.
    /// @param steps One byte a pushed node, see `Walk.rootOf`.
    /// @return paid Base units paid now.
    /// @return skipped Base units due that the token refused to transfer; they stay due.
    function distribute(
        address[] calldata accounts,
        uint256[] calldata claimables,
        bytes32[] calldata proof,
        bytes calldata steps
    ) external nonReentrant returns (uint256 paid, uint256 skipped) {
        (uint256 room, Sums memory sums) = _roomUnder(Walk.rootOf(address(token), accounts, claimables, proof, steps));
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            uint256 claimable = claimables[i];
            uint256 before = claimed[account];
            if (claimable <= before) continue;
            uint256 amount = claimable - before;
            if (amount > room) revert ExceedsTotal();
            claimed[account] = claimable; // before the transfer: a token that calls back finds nothing due
            if (token.trySafeTransfer(account, amount)) {
                room -= amount;
                paid += amount;
            } else {
                claimed[account] = before;
                skipped += amount;
                emit Skipped(account, amount);
            }
        }
        if (paid != 0) {
            sums.claimed += uint128(paid);
            _sums = sums;
        }
        emit Distributed(paid, skipped);
    }

    /// @notice Pay `account` what one leaf proves and was not yet paid; anyone may, also while paused.
    /// @param account Who is paid, whoever calls.
    /// @param reward This contract's token, as the leaf names it.
    /// @param claimable What the leaf says.
    /// @param proof The leaf's neighbours, upwards.
    /// @return amount Base units paid now.
    function claim(address account, address reward, uint256 claimable, bytes32[] calldata proof)
        external
        nonReentrant
        returns (uint256 amount)
    {
        if (reward != address(token)) revert WrongToken();
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, reward, claimable))));
        (uint256 room, Sums memory sums) = _roomUnder(Walk.rootAbove(leaf, proof));
        uint256 before = claimed[account];
        if (claimable <= before) revert NothingToClaim();
        amount = claimable - before;
        if (amount > room) revert ExceedsTotal();

        claimed[account] = claimable;
        sums.claimed += uint128(amount);
        _sums = sums;
        emit Claimed(account, reward, amount);

        token.safeTransfer(account, amount);
    }

    /// @notice Stop commits for pauseDuration.  Not again until as long has passed after the end: a stolen
    /// guardian key stops them half of the time at most.
    function pause() external nonReentrant {
        if (msg.sender != guardian) revert NotGuardian();
        if (block.timestamp < uint256(_batch.pausedUntil) + pauseDuration) revert TooEarly();
        _setPause(block.timestamp + pauseDuration);
    }

    /// @notice End a pause early; nothing happens where there is none.
    function unpause() external onlyOwner nonReentrant {
        if (block.timestamp < _batch.pausedUntil) _setPause(block.timestamp);
    }

    /// @dev Pull what the contract lacks of `owed`, or refuse.
    function _fund(uint256 owed) private {
        uint256 balance = token.balanceOf(address(this));
        if (balance >= owed) return;
        uint256 missing = owed - balance;
        if (funder == address(0) || !token.trySafeTransferFrom(funder, address(this), missing)) {
            revert Underfunded(missing);
        }
        // A token that keeps a part on the way would leave the last earner unpaid.
        balance = token.balanceOf(address(this));
        if (balance < owed) revert Underfunded(owed - balance);
    }

    function _setPause(uint256 until) private {
        _batch.pausedUntil = uint40(until);
        emit PausedUntil(until);
    }
}
